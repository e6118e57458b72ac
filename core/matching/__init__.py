"""Looking signals up: from what a client sent to the content that it is a copy of.

| file | knows |
|---|---|
| `lookup` | what is a match |
"""
