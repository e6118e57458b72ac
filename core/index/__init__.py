"""The index in the object store: immutable segments, numbered snapshots, exact search.

| file | knows |
|---|---|
| `entry` | what the index says of one content, and where it gets that from |
| `snapshot` | a snapshot as JSON, its key, and how the newest is found |
| `layer` | contents and signals as columns: made, merged, searched |
| `columns`, `hits` | arrays as files; what a search finds |
| `binary`, `exact`, `generic` | one kind of signals each: how they are stored and searched |
| `postings` | exact Hamming search that reads few rows |
| `banks` | the banks of a snapshot, inline or in a file of their own |
| `segment`, `cache` | a layer in the store; its files on the local disk, verified |
| `publish`, `writers`, `means` | catalog → next snapshot; who may; with what |
| `snapshots`, `segments` | of one type, for who publishes: newest → next; written, read back |
| `rebuild`, `build` | the index made anew from the whole catalog; a task of that |
| `compact`, `collect` | keeping segments few; deleting what is dead |
| `found` | what lookups ask of an index, wherever it is, and what it answers |
| `sharded`, `reply` | an index in shares elsewhere: asking all of them; over the wire |
| `read` | newest snapshot → a loaded index that answers |
"""
