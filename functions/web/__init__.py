"""What functions share: from a request to what `core` is asked, and from there to an answer.

| file | knows |
|---|---|
| `app` | an app of some routers, and a target that serves it |
| `app_routes` | the routes that every app has: a sign of life, the site map, OpenAPI |
| `edge` | what surrounds every request: tokens, sizes, spelling |
| `dependencies` | what a handler works with: services, and limits to wait within |
| `turns` | turns at computing and fetching: a queue with an end, nothing for who has gone |
| `body` | JSON bodies, and what OpenAPI says of bodies |
| `request_media` | content in a form, or behind a URL, and its hashes |
| `lookup_parameters` | how lookups are asked |
| `run_lookup` | a lookup where it waits for nobody: on the event loop, or in a thread |
| `match_answer` | how lookups are answered |
| `publishing` | publishing right after a commit |
| `answer` | JSON on the wire, and the header that names snapshots |
| `errors` | an error to its answer |
| `openapi` | the description of an app, true of how it answers |
"""
