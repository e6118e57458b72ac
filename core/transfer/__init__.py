"""Moving over: from a running HMA, and of banks to files and back.

| file | knows |
|---|---|
| `hma_database` | the tables of HMA's database, and how to read them without loading any pickle |
| `expected` | what each of its rows should be here, or why it can't be |
| `import_hma` | a run: what is new, changed and gone there becomes so here |
| `reconcile` | whether both sides say the same in the end |
| `line` | one bank or content as a file says it |
| `jsonl`, `csv_table`, `hash_list` | the forms a file can have |
| `export_banks`, `import_file` | banks to lines, and lines to banks |
| `problem` | what could not be moved as it is, and why |
"""
