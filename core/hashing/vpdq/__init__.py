"""vPDQ: a video as the PDQ of a frame each second.

| file | knows |
|---|---|
| `signal` | how such a signal is written, and when two of them match |
"""
