"""Getting the content that a client names, and nothing that it must not reach.

| file | knows |
|---|---|
| `fetch_url` | what a URL or a reference leads to: redirects, how much, how long |
| `target` | a URL as the request that it stands for |
| `address` | the addresses of a host, and which of them may be asked |
| `pinned_connection` | a connection to an address that was checked, until a deadline |
| `deadline` | how much of a deadline is left |
| `bucket` | objects in buckets, as URLs that are signed for a minute |
| `content_type` | what a web server says that it sent, as a content type |
"""
