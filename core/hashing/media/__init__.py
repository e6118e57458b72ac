"""Decoding what nobody vouches for, within a bound of pixels, memory and time.

| file | knows |
|---|---|
| `media_source` | what media are read from, and whose fault it is when that fails |
| `limits` | the formats of images, and what a file may cost |
| `image` | opening an image once, for all that is read from it |
| `picture` | decoded images in any format, as people see them |
| `video` | videos, a frame of each second |
"""
