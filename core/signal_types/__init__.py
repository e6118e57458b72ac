"""Which signal types there are, and how each hashes, compares and validates.

| file | knows |
|---|---|
| `enabled` | the types of one deployment, by name |
| `index_kind` | which kind of index each type has |
| `extension` | classes of other people, and how they are found |
| `vpdq` | vPDQ as a class that can be enabled |
| `hash_content` | a file to its signals, one of each type |
"""
