"""The index in the object store: immutable segments, numbered snapshots, exact search.

| file | knows |
|---|---|
| `entry` | what the index says of one content, and where it gets that from |
| `snapshot` | a snapshot as JSON, its key, and how the newest is found |
| `segment` | a segment's files, their checksums, opening one |
| `binary`, `exact`, `generic` | one kind of segment each: how its signals are stored and searched |
| `cache` | fetched files on the local disk, verified |
| `publish` | catalog → next snapshot |
| `read` | newest snapshot → a loaded index that answers |
"""
