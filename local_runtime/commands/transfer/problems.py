"""What a transfer could not take over, told as it goes."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from local_runtime.commands.printing import complain, print_json

if TYPE_CHECKING:
    from core.transfer.problem import Problem


def reporter(as_json: bool) -> "Callable[[Problem], None]":
    """Prints each problem: an object on standard output, or a sentence on standard error."""

    def report(problem: "Problem") -> None:
        if as_json:
            print_json({"kind": "problem", **asdict(problem)})
        else:
            complain(f"{problem.what}: {problem.why}")

    return report
