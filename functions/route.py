"""The route function: `/m/*` as `match` answers it, from an index that shards hold in shares.

It opens no index: `HMA_SHARDS` says whom it asks. What they find is merged as if it were one.
"""

from functions import match, status
from functions.web.app import target

route = target("route", match.router, status.router)
