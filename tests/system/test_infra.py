"""What `infra` says about the program is true of the program."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import Settings
from functions.table import FUNCTIONS as TABLE
from functions.table import Reach, find_function

ROOT = Path(__file__).parents[2]
CONTAINERFILE = (ROOT / "infra" / "Containerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())
FUNCTIONS = {
    name: service["environment"]
    for name, service in COMPOSE["services"].items()
    if "FUNCTION_TARGET" in service.get("environment", {})
}


def test_every_function_is_deployed() -> None:
    """Each function has a container, but for `status`, which `match` answers too."""
    verbs = {function.verb for function in TABLE}
    assert {environ["FUNCTION_TARGET"] for environ in FUNCTIONS.values()} == verbs - {"status"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_containers_are_told_only_what_is_a_setting(name: str) -> None:
    """No variable of a function's container is misspelt, and it can reach what it must alone."""
    environ = {key: value for key, value in FUNCTIONS[name].items() if key.startswith("HMA_")}
    settings = Settings.from_env(environ)
    reaches = find_function(FUNCTIONS[name]["FUNCTION_TARGET"]).reaches
    assert (settings.store_url is not None) == (Reach.STORE in reaches)
    assert (settings.database_url is not None) == (Reach.DATABASE in reaches)
    assert bool(settings.shards) == (Reach.SHARDS in reaches)
    assert (settings.shard.of > 1) == name.startswith("shard-")


def test_schedules_are_those_of_the_table() -> None:
    """Compose calls each function that is not called by clients, as often as it has to be."""
    calls = {
        match.groups()
        for service in COMPOSE["services"].values()
        if (
            match := re.search(r"http://(\w+):8080(/\w+); sleep (\d+)", str(service.get("command")))
        )
    }
    scheduled = [(function.verb, function.schedule) for function in TABLE if function.schedule]
    assert calls == {(verb, each.path, str(each.seconds)) for verb, each in scheduled}


def test_page_says_what_each_function_needs() -> None:
    """The table of infra/README.md has every function, with a database where it reaches one."""
    page = (ROOT / "infra" / "README.md").read_text()
    rows = {
        verb: needs
        for verbs, needs in re.findall(
            r"^\| (`[a-z`, ]+`) \| [^|]+ \| (.+) \|$", page, re.MULTILINE
        )
        for verb in re.findall(r"[a-z]+", verbs)
    }
    assert rows.keys() == {function.verb for function in TABLE}
    for function in TABLE:
        assert ("HMA_DATABASE_URL" in rows[function.verb]) == (Reach.DATABASE in function.reaches)
        assert ("HMA_SHARDS" in rows[function.verb]) == (Reach.SHARDS in function.reaches)


def test_shards_are_those_that_the_router_asks() -> None:
    """Each of its addresses is a service, and together they hold each share once."""
    router = Settings.from_env({"HMA_SHARDS": FUNCTIONS["route"]["HMA_SHARDS"]})
    named = [url.removeprefix("http://").removesuffix(":8080") for url in router.shards]
    assert named == [name for name in FUNCTIONS if name.startswith("shard-")]
    held = [FUNCTIONS[name]["HMA_SHARD"] for name in named]
    assert held == [f"{number}/{len(named)}" for number in range(1, len(named) + 1)]


def test_image_is_made_of_what_is_there() -> None:
    """Every file that the image copies from here exists, and every target of compose too."""
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert "core" in names
    assert [name for name in names if not (ROOT / name).exists()] == []
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", CONTAINERFILE, re.MULTILINE))
    built = {s["build"]["target"] for s in COMPOSE["services"].values() if "build" in s}
    assert built <= stages


def test_one_version_of_minio() -> None:
    """The image builds the very MinIO that `make minio` builds and the tests ran on."""
    (pinned,) = re.findall(r"^MINIO := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"ARG MINIO={pinned}\n" in CONTAINERFILE
