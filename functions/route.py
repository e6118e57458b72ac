"""The route function: `/m/*` as `match` answers it, from an index that shards hold in shares.

It opens no index: `HMA_SHARDS` says whom it asks. What they find is merged as if it were one.
"""

from functions.web.app import target

route = target("route")
