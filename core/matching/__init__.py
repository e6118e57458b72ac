"""Looking signals up: from what a client sent to the content that it is a copy of.

| file | knows |
|---|---|
| `lookup` | what is a match, whoever asks: the one use case of every lookup |
| `compare` | two signals beside each other, with no index |
| `status` | whether there is an index to look things up in, from when, and how large |
| `published_types` | which signal types are on, as snapshots say |
"""
