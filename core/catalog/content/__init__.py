"""Content: the things banked.

| file | knows |
|---|---|
| `content` | a content, and how it is made, read, changed and deleted |
| `filter` | which contents of many are meant, and a page of them |
| `fields`, `label`, `metadata` | what a content may hold beside its signals |
"""
