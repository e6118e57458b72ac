"""What the commands of `hma` do.

| file | knows |
|---|---|
| `hash`, `match` | the signals of files; what they are copies of |
| `bank` | banks listed, made and filled |
| `status` | whether a server answers lookups |
| `publish`, `rebuild` | snapshots made by the server; every index made anew without one |
| `transfer` | moving over from an HMA; banks from files and to them |
| `serve`, `demo` | everything in one process; the same, shown and ended |
| `options`, `printing`, `progress_bars` | what commands are given, print, and show meanwhile |
| `media_files` | the files that a command is given, and work on each of them |
| `server_client` | a server, asked over HTTP |
"""
