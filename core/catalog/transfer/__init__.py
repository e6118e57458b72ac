"""Content that is moved over in bulk, and how it is told from what was made here.

| file | knows |
|---|---|
| `moving` | bulk reads and writes, one transaction each |
| `moved` | banks, exchanges and signal types that were moved |
| `moved_content` | content that was moved |
"""
