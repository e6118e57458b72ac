"""Getting the content that a client names, and nothing that it must not reach.

| file | knows |
|---|---|
| `url` | fetching from web servers: which addresses, how much, how long |
| `content_type` | what a web server says that it sent, as a content type |
| `bucket` | objects in buckets, as URLs that are signed for a minute |
"""
