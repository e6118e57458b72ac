"""From bytes that nobody vouches for to hashes: pictures, photographs' other readings, videos.

Knows nothing of signal types, of an index or of SQL.

| room | knows |
|---|---|
| `hash_photo` | a photograph, opened once, to its PDQ, its variants and its crops |
| `checkpoint` | what long work calls between its steps |
| `media` | decoding images and videos, within what a file may cost |
| `jpeg` | what PDQ needs of a JPEG, and no more |
| `pdq` | PDQ as two matrix products, bit for bit as `pdqhash` |
| `variants` | what a copy may have been before somebody altered it |
| `vpdq` | a video as the PDQ of a frame each second |
"""
