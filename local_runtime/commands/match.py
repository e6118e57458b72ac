"""`hma match`: what files are copies of, asked of a server."""

from pathlib import Path
from typing import Any

from core.errors import HmaError
from local_runtime.commands.media_files import choose_content_type, list_files, work_on_files
from local_runtime.commands.options import ContentType, Files, Json, Url
from local_runtime.commands.printing import complain, exit_if, print_json
from local_runtime.commands.server_client import connect


def match(
    files: Files, content_type: ContentType = None, url: Url = None, as_json: Json = False
) -> None:
    """Print what photos and videos are copies of."""
    failed = False
    with connect(url) as client:

        def match_file(file: Path) -> list[dict[str, Any]]:
            return client.match(file, choose_content_type(file, content_type))

        for file, matches in work_on_files(list_files(files), match_file, "matching"):
            if isinstance(matches, HmaError):
                failed = complain(f"{file}: {matches.message}")
            elif as_json:
                print_json({"file": str(file), "matches": matches})
            else:
                _print_matches(file, matches)
    exit_if(failed)


def _print_matches(file: Path, matches: list[dict[str, Any]]) -> None:
    if not matches:
        print(f"{file}: no match")
    for content in matches:
        print(
            f"{file}: content {content['bank_content_id']} of {content['bank']},"
            f" {content['signal_type']} distance {content['distance']}"
        )
