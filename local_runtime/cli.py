"""The `hma` command: which commands there are.

Results go to standard output, one JSON object a line with `--json`; all else, errors too, goes
to standard error. The exit code is 0 if and only if everything that was asked for was done.
"""

import sys

import typer

from core.errors import HmaError
from local_runtime.commands.bank import add_to_bank, create_bank, list_banks
from local_runtime.commands.demo import demo
from local_runtime.commands.hash import hash_files
from local_runtime.commands.match import match
from local_runtime.commands.printing import complain
from local_runtime.commands.publish import publish
from local_runtime.commands.serve import serve
from local_runtime.commands.status import status
from local_runtime.commands.transfer.export import export
from local_runtime.commands.transfer.import_file import import_file
from local_runtime.commands.transfer.import_hma import import_hma

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find copies of known images and videos: serve, bank, match.",
)
bank = typer.Typer(no_args_is_help=True, help="List banks, make one, add photos and videos.")
app.command(name="hash")(hash_files)
app.command()(match)
app.add_typer(bank, name="bank")
bank.command(name="list")(list_banks)
bank.command(name="create")(create_bank)
bank.command(name="add")(add_to_bank)
app.command()(publish)
app.command()(status)
app.command()(import_hma)
app.command()(export)
app.command(name="import")(import_file)
app.command()(serve)
app.command()(demo)


def main() -> None:
    """The entry point: an error becomes a message and an exit code."""
    try:
        app()
    except HmaError as error:
        complain(error.message)
        sys.exit(1)


if __name__ == "__main__":
    main()
