"""A layer: contents and their signals as columns, made, merged and searched.

| file | knows |
|---|---|
| `layer` | a layer, and what it hides of those beneath |
| `columns`, `hits` | arrays as files; what a search finds |
| `binary`, `exact`, `frames`, `generic` | how one kind of signals is stored and searched |
| `postings` | exact Hamming search that reads few rows |
"""
