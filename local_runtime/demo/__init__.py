"""What `hma demo` and `hma serve --demo` show.

| file | knows |
|---|---|
| `photographs`, `photos` | altered copies that match; the photographs they are made of |
| `exchanges`, `fake_exchanges` | lists that are fetched; servers that look like exchanges |
"""
