"""The `hma` command: what it prints for people and for scripts, and how it fails."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_runtime.demo.photos import alter_photo, photo
from tests.deployment import Deployment, settings_for
from tests.served import Served
from tests.servers import wait_until
from tests.system.runtime import hma, running

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("cli") / "data", store="files") as served:
        yield served


@pytest.fixture
def bank(server: Served, request: pytest.FixtureRequest) -> str:
    """An empty bank of the test's own."""
    name = re.sub("[^A-Z0-9]+", "_", request.node.name.upper())
    assert server.post("/c/banks", json={"name": name}).status_code == 201
    return name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs, one of them in a folder below, and a file that is no picture."""
    (tmp_path / "more").mkdir()
    (tmp_path / "rocket.jpg").write_bytes(alter_photo("rocket.jpg", "half size"))
    (tmp_path / "more" / "cat.jpg").write_bytes(alter_photo("chelsea.png", "half size"))
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def lines(text: str) -> list[dict[str, Any]]:
    """Each line of `text`, which all must be JSON objects."""
    values = [json.loads(line) for line in text.splitlines()]
    assert all(isinstance(value, dict) for value in values)
    return values


def test_hash_needs_no_server(server: Served) -> None:
    """`hma hash` prints the very signal that the server's hash function answers."""
    file = photo("coffee.png")
    answer = server.post("/h/hash", files={"photo": file.read_bytes()}).json()
    ran = hma("hash", file, environ={"HMA_URL": NOWHERE})
    assert (ran.code, ran.out) == (0, f"{answer['pdq']} pdq {file}\n")
    ran = hma("hash", "--json", file)
    assert (ran.code, lines(ran.out)) == (0, [{"file": str(file), "signals": answer}])


def test_hash_of_what_its_name_does_not_tell(tmp_path: Path) -> None:
    """A file without a telling name is hashed if its type is said; else the error says how."""
    file = tmp_path / "upload"
    file.write_bytes(photo("coffee.png").read_bytes())
    refused = hma("hash", file)
    assert (refused.code, refused.out) == (1, "")
    assert "--type photo" in refused.err
    assert hma("hash", "--type", "photo", file).code == 0


def test_bank_then_match(server: Served, bank: str, folder: Path) -> None:
    """A folder is banked, files that are neither photo nor video left out; copies then match."""
    url = ("--url", server.url)
    added = hma("bank", "add", bank, folder, "--note", "mine", "--json", *url)
    assert (added.code, added.err) == (0, "")
    banked = {Path(one["file"]).name: one for one in lines(added.out)}
    assert set(banked) == {"rocket.jpg", "cat.jpg"}
    assert all(one["signals"]["pdq"] for one in banked.values())

    wait_until(lambda: bank in hma("match", folder, *url).out, "the server has seen the change")
    ran = hma("match", photo("rocket.jpg"), photo("astronaut.png"), "--json", *url)
    assert (ran.code, ran.err) == (0, "")
    hit, miss = lines(ran.out)
    (match,) = [one for one in hit["matches"] if one["bank"] == bank]
    assert match["bank_content_id"] == banked["rocket.jpg"]["id"]
    assert match["signal_type"] == "pdq"
    assert match["note"] == "mine"
    assert 0 <= int(match["distance"]) <= 31
    assert miss == {"file": str(photo("astronaut.png")), "matches": []}


def test_for_people(server: Served, bank: str, folder: Path) -> None:
    """Without --json the same commands print one sentence a fact."""
    url = ("--url", server.url)
    file = folder / "rocket.jpg"
    added = hma("bank", "add", bank, file, *url)
    assert added.out.startswith(f"{file}: content ")
    assert f"of {bank}" in added.out
    published = hma("publish", *url)
    assert "pdq: snapshot " in published.out
    hit = f" of {bank}, pdq distance 0\n"
    wait_until(lambda: hit in hma("match", file, *url).out, "the server has seen the change")
    missed = hma("match", photo("astronaut.png"), *url)
    assert missed.out == f"{photo('astronaut.png')}: no match\n"
    assert f"{bank} 1.0\n" in hma("bank", "list", *url).out
    status = hma("status", *url)
    assert (status.code, status.err) == (0, "")
    assert status.out.startswith(f"{server.url} I-AM-ALIVE\npdq: ")


def test_status_and_publish_for_scripts(server: Served) -> None:
    """Both print one JSON object, and the server's address may come from the environment."""
    environ = {"HMA_URL": server.url}
    (status,) = lines(hma("status", "--json", environ=environ).out)
    assert status["status"] == "I-AM-ALIVE"
    assert status["index"]["pdq"]["present"] is True
    (numbers,) = lines(hma("publish", "--json", environ=environ).out)
    assert numbers.keys() == status["index"].keys()
    assert all(number >= 1 for number in numbers.values())


def test_publish_may_rebuild(server: Served) -> None:
    """`--rebuild` makes every index anew, so there is a newer snapshot of each."""
    (before,) = lines(hma("publish", "--json", "--url", server.url).out)
    (after,) = lines(hma("publish", "--rebuild", "--json", "--url", server.url).out)
    assert all(after[name] > number for name, number in before.items())


def test_publish_may_rebuild_here(tmp_path: Path) -> None:
    """On processes of this machine, without a server; the two ways exclude each other."""
    deployment = Deployment(settings_for(tmp_path))
    content_id = deployment.add("0" * 64)
    settings = deployment.settings
    environ = {
        "HMA_STORE_URL": str(settings.store_url),
        "HMA_DATABASE_URL": str(settings.database_url),
        "HMA_CACHE_DIR": str(settings.cache_dir),
    }
    ran = hma("publish", "--rebuild", "--workers", "2", "--json", environ=environ)
    assert ran.code == 0, ran.err
    made = {one["signal_type"]: one for one in lines(ran.out)}
    assert made.keys() == set(deployment.signal_types.enabled())
    assert (made["pdq"]["contents"], made["pdq"]["tasks"], made["pdq"]["kept"]) == (1, 1, 0)
    assert made["pdq"]["number"] == deployment.newest().number
    assert deployment.matching("0" * 64) == [content_id]
    ran = hma("publish", "--rebuild", "--workers", "1", environ=environ)
    assert "pdq: snapshot" in ran.out
    for wrong, why in (
        (("--rebuild", "--workers", "2", "--dask", "tcp://127.0.0.1:1"), "not both"),
        (("--workers", "2"), "are for --rebuild"),
        (("--rebuild", "--dask", "tcp://127.0.0.1:1"), "Dask cluster"),
    ):
        ran = hma("publish", *wrong, environ=environ)
        assert (ran.code, why in ran.err) == (1, True), ran.err


def test_commands_send_their_token(tmp_path: Path) -> None:
    """A server that asks for a token answers the commands that know it, and no others."""
    environ = {"HMA_API_TOKENS": "first,second"}
    with running(tmp_path / "data", "--demo", store="files", environ=environ) as served:
        listed = "PHOTOGRAPHS 1.0\n"

        def knows(token: str) -> bool:
            told = {"HMA_API_TOKENS": token}
            return hma("bank", "list", "--url", served.url, environ=told).out == listed

        wait_until(lambda: knows("first"), "the demonstration has made its bank")
        assert knows("second,first")
        refused = hma("bank", "list", "--url", served.url)
        assert (refused.code, refused.out) == (1, "")
        assert "Authorization: Bearer" in refused.err


def test_banks_for_scripts(server: Served) -> None:
    """A bank is made with its ratio, and listed one object a line."""
    url = ("--url", server.url)
    made = {"name": "HALF", "matching_enabled_ratio": 0.5}
    assert lines(hma("bank", "create", "HALF", "--ratio", "0.5", "--json", *url).out) == [made]
    assert made in lines(hma("bank", "list", "--json", *url).out)


def test_one_bad_file_spoils_nothing_else(server: Served, bank: str, folder: Path) -> None:
    """What can be banked is; what cannot is told by name, and makes the exit code 1."""
    broken = folder / "broken.jpg"
    broken.write_bytes((folder / "rocket.jpg").read_bytes()[:500])
    missing = folder / "missing.jpg"
    files = (broken, folder / "rocket.jpg", missing)
    ran = hma("bank", "add", bank, *files, "--json", "--url", server.url)
    assert ran.code == 1
    assert [Path(one["file"]).name for one in lines(ran.out)] == ["rocket.jpg"]
    first, second = ran.err.splitlines()
    assert first.startswith(f"hma: {broken}: ")
    assert second == f"hma: {missing}: cannot be read: No such file or directory"


def test_flat_picture_is_explained(server: Served, bank: str, tmp_path: Path) -> None:
    """A picture without detail has no PDQ signal; the message says so rather than "invalid"."""
    from PIL import Image

    file = tmp_path / "flat.png"
    Image.new("RGB", (200, 200), "grey").save(file)
    for command in (("match",), ("bank", "add", bank)):
        ran = hma(*command, file, "--url", server.url)
        assert ran.code == 1
        assert "too little detail" in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("status", "--url", NOWHERE), "Start a server with `hma serve`"),
        (("bank", "list", "--url", NOWHERE), "--url or HMA_URL"),
        (("status", "--url", "nonsense"), "nonsense is no URL"),
        (("match", "/nowhere"), "cannot be read"),
        (("hash", "/nowhere.png"), "/nowhere.png: cannot be read: No such file"),
    ],
)
def test_errors_without_a_server(arguments: tuple[str, ...], says: str) -> None:
    """An error goes to standard error alone, says what to do next, and is the exit code."""
    ran = hma(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("bank", "add", "ABSENT", "{photo}"), "`hma bank create ABSENT`"),
        (("bank", "create", "lower case"), "UPPER_WITH_UNDERSCORE"),
        (("bank", "add", "{bank}", "{empty}"), "no photo or video in"),
        (("bank", "create", "{bank}"), "`hma bank add {bank} FILE…`"),
    ],
)
def test_errors_of_the_server(
    server: Served, bank: str, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    """What the server refuses is told in its words, with the command that helps."""
    (tmp_path / "empty").mkdir()
    names = {"bank": bank, "photo": photo("coffee.png"), "empty": tmp_path / "empty"}
    ran = hma(*(one.format(**names) for one in arguments), "--url", server.url)
    assert (ran.code, ran.out) == (1, "")
    assert says.format(**names) in ran.err


def test_misspelt_setting_is_told() -> None:
    """A slip in the name of a setting is an error that names both."""
    ran = hma("status", environ={"HMA_STORE_URI": "s3://x"})
    assert ran.code == 1
    assert "HMA_STORE_URI: unknown setting, did you mean HMA_STORE_URL?" in ran.err
