import core  # noqa: F401  # before anything imports NumPy, as each of our entry points does
