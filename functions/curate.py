"""The curate function: `/c/*`. The only one that changes what is banked.

What is committed is published at once, so that it matches about a second later. When that fails,
or takes too long, the answer still says "done", because it is: the change is marked in the
catalog, and the scheduled `publish` makes up for it. Such an answer names no snapshot.
"""

from functions.web.app import target

curate = target("curate")
