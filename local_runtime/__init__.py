"""One process for a laptop, and the `hma` command. Nothing here is needed in the cloud.

| room | knows |
|---|---|
| `cli` | the `hma` command: which commands there are |
| `serve`, `scheduler` | every function behind one port; jobs by schedule |
| `development` | HMA's `/dev` routes, which fill and empty a server |
| `documentation` | the parts of the documentation that are made from the program |
| `commands` | what a command does: with files, with a server, with a catalog |
| `store` | the object store beside it, found or started |
| `demo` | photographs and exchanges to try it on |
"""
