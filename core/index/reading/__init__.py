"""From the newest snapshot to answers.

| file | knows |
|---|---|
| `lookup_index` | what lookups ask of an index, wherever it is, and what it answers |
| `read` | newest snapshot → a loaded index that answers |
| `sharded`, `shard_reply` | an index in shares elsewhere: asking all of them; over the wire |
"""
