"""What `infra` says about the program is true of the program."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import Settings

ROOT = Path(__file__).parents[2]
CONTAINERFILE = (ROOT / "infra" / "Containerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())
FUNCTIONS = {
    name: service["environment"]
    for name, service in COMPOSE["services"].items()
    if "FUNCTION_TARGET" in service.get("environment", {})
}


def test_every_function_is_deployed() -> None:
    """Each target in `functions` has a container, but for `status`, which `match` answers too."""
    files = (ROOT / "functions").glob("[a-z]*.py")
    verbs = {file.stem for file in files if f"\n{file.stem} = target(" in file.read_text()}
    assert {"hash", "match", "curate"} < verbs
    assert {one["FUNCTION_TARGET"] for one in FUNCTIONS.values()} == verbs - {"status"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_containers_are_told_only_what_is_a_setting(name: str) -> None:
    """No variable of a function's container is misspelt, and only curators get the catalog."""
    environ = {key: value for key, value in FUNCTIONS[name].items() if key.startswith("HMA_")}
    settings = Settings.from_env(environ)
    assert (settings.store_url is not None) == (name not in ("hash", "route"))
    assert (settings.shard.of > 1) == name.startswith("shard-")
    assert (settings.database_url is not None) == (name in ("curate", "publish", "fetch", "ui"))


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
