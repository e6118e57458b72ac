"""The index in the object store: immutable segments, numbered snapshots, exact search.

| room | knows |
|---|---|
| `entry`, `source` | what the index says of a content or a bank; where a publisher gets that from |
| `layers` | contents and signals as columns: made, merged, searched |
| `objects` | what lies in the store: snapshots, segments, lists of banks, and where |
| `publishing` | catalog → next snapshot, and the index made anew |
| `reading` | newest snapshot → an index that answers, here or in shares elsewhere |
"""
