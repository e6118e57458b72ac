"""What the commands of `hma` do.

| file | knows |
|---|---|
| `asking` | commands that read files, or ask a server |
| `transfer` | moving over from an HMA; banks to files and back |
| `rebuild` | `hma publish --rebuild` without a server |
| `client` | a server, asked over HTTP |
| `files`, `progress` | the files a command is given; how far it is with them |
"""
