"""Everything that is true whatever runs it: hashing, the index, the catalog, matching.

Knows no web framework and no cloud; reads no environment outside `core.settings`. A room knows
only those below it:

| room | knows |
|---|---|
| `services` | what one deployment works with, put together and nothing else |
| `jobs` | what schedules and workers run |
| `transfer` | moving over from an HMA; banks to files and back |
| `curation`, `exchanges` | what curators do; lists that others keep |
| `matching`, `catalog` | what is a match; banks and their content in SQL |
| `index` | snapshots and segments in the object store, and exact search |
| `signal_types` | which types there are, and how each hashes, compares, validates |
| `hashing`, `download`, `store` | bytes to hashes; fetching; whole objects under keys |
| `settings`, `errors`, `tasks` | what one is told; what can go wrong; plans of tasks |
"""

import os

# Threads of BLAS that wait for each other spin: on two idle cores a picture with all its variants
# took half as much again of the processor, and on busy ones seven times. Pictures are hashed
# side by side instead. NumPy reads this when it is imported, which nobody does before us; OpenMP's
# threads, of FAISS, do not survive a fork either.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
