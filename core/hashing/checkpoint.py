"""What long work calls between its steps, each of which may take seconds.

Whoever wants to end it early gives it something that raises. Knows nothing of the work.
"""


def go_on() -> None:
    """What is called where nobody ends the work early."""
