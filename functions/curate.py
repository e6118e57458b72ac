"""The curate function: `/c/*`. The only one that changes what is banked.

What is committed is published at once, so that it matches about a second later. When that fails,
or takes too long, the answer still says "done", because it is: the change is marked in the
catalog, and the scheduled `publish` makes up for it. Such an answer names no snapshot.
"""

from functions.curating import (
    bank_routes,
    content_routes,
    contents,
    exchange_routes,
    opinion_routes,
    signal_type_routes,
)
from functions.web.app import target

curate = target(
    "curate",
    bank_routes.router,
    content_routes.router,
    contents.router,
    exchange_routes.router,
    opinion_routes.router,
    signal_type_routes.router,
)
