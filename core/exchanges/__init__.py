"""Lists of signals that others keep, fetched into banks of ours, and our opinions of them."""
