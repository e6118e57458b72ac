"""What lies in the object store, and its copies on the local disk.

| file | knows |
|---|---|
| `layout` | where everything lies |
| `snapshot` | a snapshot as JSON, and how the newest is found |
| `segment` | a layer in the store |
| `banks` | the banks of a snapshot, inline or in a file of their own |
| `cache` | files of the store on the local disk, verified |
| `disk` | what it means that the local disk cannot be used |
"""
