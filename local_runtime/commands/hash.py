"""`hma hash`: the signals of files, computed here."""

from pathlib import Path

from core.errors import HmaError
from core.settings import Settings
from local_runtime.commands.media_files import choose_content_type, list_files, work_on_files
from local_runtime.commands.options import ContentType, Files, Json
from local_runtime.commands.printing import complain, exit_if, print_json


def hash_files(files: Files, content_type: ContentType = None, as_json: Json = False) -> None:
    """Print the signals of photos and videos. Needs no server."""
    from core.services import Services
    from core.signal_types.hash_content import HashedContent, hash_content

    services = Services(Settings.from_env())

    def hash_file(file: Path) -> HashedContent:
        kind = choose_content_type(file, content_type)
        return hash_content(services.signal_types, services.settings, kind, file, partial=True)

    failed = False
    for file, hashed in work_on_files(list_files(files), hash_file, "hashing"):
        if isinstance(hashed, HmaError):
            failed = complain(f"{file}: {hashed.message}")
            continue
        for failure in hashed.failures.values():
            failed = complain(f"{file}: {failure.message}")
        if as_json:
            print_json({"file": str(file), "signals": hashed.signals})
        else:
            for signal_type, signal in hashed.signals.items():
                print(signal or "(too little detail)", signal_type, file)
    exit_if(failed)
