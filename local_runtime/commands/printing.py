"""How every command prints: results to standard output, problems to standard error."""

import json
import sys

import typer


def print_json(value: object) -> None:
    """Print one line of JSON."""
    print(json.dumps(value, sort_keys=True), flush=True)


def complain(problem: str) -> bool:
    """Say on standard error what is wrong; True, for `failed = complain(…)`."""
    print(f"hma: {problem}", file=sys.stderr, flush=True)
    return True


def exit_if(failed: bool) -> None:
    """End the command with 1 if anything that was asked for was not done."""
    if failed:
        raise typer.Exit(1)
