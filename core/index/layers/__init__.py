"""A layer: contents and their signals as columns, made, merged and searched.

| file | knows |
|---|---|
| `layer` | a layer opened for search |
| `columns` | its contents as columns: made, merged, and what they hide of layers beneath |
| `kind`, `kinds` | what differs from kind to kind of signals; all kinds there are |
| `binary`, `exact`, `frames`, `generic` | how signals of one kind are packed, stored and searched |
| `postings` | exact Hamming search that reads few rows |
| `arrays`, `packed` | arrays as files; signals and texts as arrays |
| `hits` | what a search finds |
"""
