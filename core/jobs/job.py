"""What a schedule asks of a job, whatever it does."""

from typing import Protocol


class Job(Protocol):
    """Work that is never done for good, and that a schedule does again and again.

    Running a job is safe at any time, at once with others who run the same one, and after a run
    that was killed: each goes on where the work stands.
    """

    def run(self, deadline: float) -> bool:
        """Work until nothing is left to do for now, or until `deadline`.

        Every run gets a step further, however late it begins.

        Args:
            deadline: of `time.monotonic()`.

        Returns:
            Whether it came to its end; if not, the next run goes on and may begin at once.

        Raises:
            HmaError: some of it could not be done, and waits for a later run.
        """
        ...
