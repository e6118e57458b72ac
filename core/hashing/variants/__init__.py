"""What a copy may have been before somebody altered it, and the hashes of that.

| file | knows |
|---|---|
| `photo` | the variants of a query, and the crops of a banked picture |
| `orientation` | what turning and mirroring are called, and do to the bits of a hash |
| `margins/` | where the picture within a picture ends |
| `tilt` | by how much, and about what, it was turned |
| `reduced_picture` | a picture made smaller, and samples of its parts |
| `reducing` | making it smaller while its rows pass on their way to its PDQ |
"""
