"""What can be deployed: one verb a file, which parses a request, calls into `core`, and answers.

Knows the web framework; no policy, no SQL, no storage. `functions-framework --source
functions/match.py --target match` runs one.

| file | knows |
|---|---|
| `table` | every function: its routes, roles, schedule, and what it must reach |
| `hash` | `/h/*`: content to its signals |
| `match` | `/m/*`: signals and content to what they are copies of |
| `shard`, `route` | one share of an index too large for one machine; who asks all of them |
| `curate` | `/c/*`: banks and what is in them |
| `fetch` | `/fetch`: lists that others keep |
| `publish` | `/publish`: the catalog to the next snapshot |
| `ui` | `/ui/*`: what a page needs beside the API |
| `status` | `/status`: whether lookups can be answered |
| `curating` | the routes of `curate`, by what they are about |
| `web` | what all of them share: the app, its edge, bodies, answers, errors |
"""
