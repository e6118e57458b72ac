"""Everything that is true whatever runs it: hashing, the index, the catalog, matching.

Knows no web framework and no cloud; reads no environment outside `core.settings`.
"""
