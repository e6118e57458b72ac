"""Decoding what nobody vouches for, within a bound of pixels, memory and time.

| file | knows |
|---|---|
| `image` | pictures in any format, as people see them |
| `video` | videos, frame by frame |
"""
