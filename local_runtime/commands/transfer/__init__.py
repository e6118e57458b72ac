"""The commands that move banks. They work on the catalog itself, not through a server.

| file | knows |
|---|---|
| `import_hma` | everything a running HMA has, moved over |
| `import_file`, `export` | banks, content and bare hashes from a file; banks to a file |
| `catalog_folder` | the catalog: the one that the settings name, or that of `hma serve` |
| `problems` | what could not be taken over, told as it goes |
"""
