"""What a copy may have been before somebody altered it, and the hashes of that.

| file | knows |
|---|---|
| `photo` | the variants of a query, and the crops of a banked picture |
| `margins` | where the picture within a picture ends |
| `tilt` | by how much, and about what, it was turned |
"""
