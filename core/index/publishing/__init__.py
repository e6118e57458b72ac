"""From the catalog to the next snapshot.

| file | knows |
|---|---|
| `publish` | what changed → the next snapshot, and why nothing is lost whoever dies |
| `writers`, `context` | who may publish; with what |
| `snapshot_writer`, `segment_writer` | newest → next; layers written, and read back |
| `rebuild`, `build` | the index made anew from the whole catalog; a task of that |
| `compact`, `collect` | keeping segments few; deleting what is dead |
"""
