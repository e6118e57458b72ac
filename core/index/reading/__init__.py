"""From the newest snapshot to answers.

| file | knows |
|---|---|
| `lookup_index` | what lookups ask of an index, wherever it is, and what it answers |
| `read` | the newest snapshot, kept loaded by those who ask |
| `looks` | looking at the store in threads, and how long requests wait for that |
| `switch` | whether a signal type is on, without loading its index |
| `loaded` | a snapshot with its layers, which answers |
| `sharded`, `shard_reply` | an index in shares elsewhere: asking all of them; over the wire |
"""
