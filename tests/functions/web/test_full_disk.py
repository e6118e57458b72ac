"""The local disk becomes unusable beside a running server: what is held goes on answering.

The disk is a small file system of the test's own where it may mount one (root, on Linux), filled or
mounted read-only; everywhere a file takes the place of the folder.
"""

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from core.errors import Unavailable
from core.index.objects import segment as segments
from core.index.reading.read import Index
from functions import match, status
from functions.curating import bank_routes, content_routes
from tests.deployment import BANK, Deployment, random_signal, settings_for
from tests.hosted import app_of, hosted


@dataclass(frozen=True)
class Disk:
    """A cache folder, and the ways to make it unusable and usable again."""

    folder: Path
    spoil: Callable[[], None]
    mend: Callable[[], None]


def mounted(folder: Path, size: str) -> bool:
    """Whether a file system of this size could be mounted at `folder`."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return (
        bool(shutil.which("mount"))
        and not subprocess.run(mount, capture_output=True, check=False).returncode
    )


@pytest.fixture(params=["full", "read-only", "replaced"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk that each of three things happens to."""
    folder = tmp_path / "cache"
    folder.mkdir()
    if request.param == "replaced":

        def replace() -> None:
            shutil.rmtree(folder)
            folder.write_bytes(b"")

        yield Disk(folder, replace, folder.unlink)
        return
    if not mounted(folder, "256k"):
        pytest.skip("only who may mount has a disk to fill")
    try:
        if request.param == "full":
            filler = folder / "filler"
            yield Disk(folder, lambda: fill(filler), filler.unlink)
        else:
            yield Disk(folder, lambda: remount(folder, "ro"), lambda: remount(folder, "rw"))
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def fill(filler: Path) -> None:
    """Write until there is no room for another byte."""
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 10)):
                pass
        except OSError:
            return


def test_what_is_held_answers_and_what_is_committed_is_200(disk: Disk, tmp_path: Path) -> None:
    """Lookups go on, each post is 200 and makes one content, and all match once it is mended."""
    services = Deployment(
        settings_for(tmp_path / "d", cache_dir=disk.folder, tail_entries=1, refresh_seconds=1e-6)
    )
    rng = random.Random(1)
    held = random_signal(rng)
    for signal in (held, random_signal(rng), random_signal(rng)):
        services.add(signal)
    services.publisher.publish_all()
    assert services.newest().segments
    posted = [random_signal(rng) for _ in range(14)]
    app = app_of(services, match.router, status.router, bank_routes.router, content_routes.router)
    with hosted(app) as url:

        def matching(signal: str) -> list[str]:
            query = {"signal": signal, "signal_type": "pdq"}
            answer = requests.get(f"{url}/m/lookup", params=query, timeout=60)
            assert answer.status_code == 200, answer.text
            return list(answer.json())

        assert matching(held) == [BANK]
        disk.spoil()
        try:
            for signal in posted:
                body = {"pdq": signal}
                answer = requests.post(f"{url}/c/bank/{BANK}/signal", json=body, timeout=60)
                assert answer.status_code == 200, answer.text
                assert matching(held) == [BANK]
            assert requests.get(f"{url}/status", timeout=60).status_code == 200
        finally:
            disk.mend()
        assert services.catalog.banks.count_contents(BANK).contents == 3 + len(posted)
        services.publisher.publish_all()
        assert [matching(signal) for signal in posted] == [[BANK]] * len(posted)


def test_a_cold_reader_without_a_disk_says_what_is_wrong(tmp_path: Path) -> None:
    """503 with the folder and the setting in its words, no failure that nobody foresaw."""
    (tmp_path / "file").write_bytes(b"")
    services = Deployment(settings_for(tmp_path, tail_entries=1))
    for _ in range(3):
        services.add("0" * 64)
    services.publisher.publish("pdq")
    spoilt = services.settings.model_copy(update={"cache_dir": tmp_path / "file"})
    with pytest.raises(Unavailable, match=r"file is not usable.*HMA_CACHE_DIR"):
        Index(services.store, services.signal_types, spoilt).get("pdq")


def test_whatever_fails_what_is_held_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what no part foresaw, here in place of a segment's layer."""
    services = Deployment(settings_for(tmp_path, tail_entries=1, refresh_seconds=1e-6))
    services.add("0" * 64)
    services.publisher.publish("pdq")
    index = services.index
    assert index.get("pdq").size() == 1

    def fail(*_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("core.index.reading.read.open_segment", fail)
    for _ in range(3):
        services.add("f" * 64)
    services.publisher.publish("pdq")
    assert index.get("pdq").size() == 1
    monkeypatch.undo()
    assert index.get("pdq").size() == 4


def test_no_room_for_postings_is_no_answer_nobody_foresaw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file of a large segment cannot be made: `Unavailable`, and the marks stay."""
    monkeypatch.setattr(segments, "FEWEST_ROWS", 1)
    services = Deployment(settings_for(tmp_path, tail_entries=1))
    services.publisher.publish("pdq")
    for _ in range(3):
        services.add("0" * 64)
    (tmp_path / "file").write_bytes(b"")
    with monkeypatch.context() as without_room:
        without_room.setattr("tempfile.tempdir", str(tmp_path / "file"))
        with pytest.raises(Unavailable, match="TMPDIR"):
            services.publisher.publish("pdq")
    assert services.publisher.publish("pdq") > 1
    assert len(services.matching("0" * 64)) == 3
