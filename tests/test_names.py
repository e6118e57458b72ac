"""One name, one thing: class and module names over the whole program, read off the syntax trees.

A class name stands for one class. A module's name stands for one module of `core`, of `functions`
and of `local_runtime`; at two storeys it may stand where both speak of the same noun or verb. A
package and the module in it that has its name are one thing.
"""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]

FOLDERS = ("core", "functions", "local_runtime")

SAME_VERB = "what does it, what schedules it, the function that is deployed, the command that asks"

SAME_NOUN = "the thing itself, and what a higher storey does with it"

API = ("core/exchanges/apis", "local_runtime/demo/fake_exchanges")

ALIKE: Mapping[str, tuple[str, Collection[str]]] = {
    "fetch": (SAME_VERB, ("core/exchanges", "core/jobs", "functions")),
    "hash": (SAME_VERB, ("functions", "local_runtime/commands")),
    "import_file": (SAME_VERB, ("core/transfer", "local_runtime/commands/transfer")),
    "import_hma": (SAME_VERB, ("core/transfer", "local_runtime/commands/transfer")),
    "match": (SAME_VERB, ("functions", "local_runtime/commands")),
    "publish": (
        SAME_VERB,
        ("core/index/publishing", "core/jobs", "functions", "local_runtime/commands"),
    ),
    "rebuild": (SAME_VERB, ("core/index/publishing", "local_runtime/commands")),
    "serve": (SAME_VERB, ("local_runtime", "local_runtime/commands")),
    "status": (SAME_VERB, ("core/matching", "functions", "local_runtime/commands")),
    "bank": (SAME_NOUN, ("core/catalog", "local_runtime/commands")),
    "demo": (SAME_NOUN, ("local_runtime", "local_runtime/commands")),
    "errors": ("errors, and the answers they become", ("core", "functions/web")),
    "ncmec": ("an exchange's API, and its fake", API),
    "stop_ncii": ("an exchange's API, and its fake", API),
    "tat": ("an exchange's API, and its fake", API),
    "opinion": ("what is kept of it, and its sending", ("core/catalog/exchange", "core/exchanges")),
    "exchanges": ("exchanges, and their demonstration", ("core", "local_runtime/demo")),
    "publishing": ("publishing, and waiting for it", ("core/index", "functions/web")),
    "shard": ("a share, and the function that holds it", ("core/settings", "functions")),
    "store": ("what asks an object store, and what starts one", ("core", "local_runtime")),
    "transfer": (
        "what is kept of a transfer, the transfer, its commands",
        ("core/catalog", "core", "local_runtime/commands"),
    ),
    "vpdq": ("the hash, and the signal type that it makes", ("core/hashing", "core/signal_types")),
}
"""Module names at two storeys or more: why they are one thing, and the folders that may say it."""


def class_names(source: str) -> Iterator[tuple[str, int]]:
    """The classes in a file, those within others too, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            yield node.name, node.lineno


def doubles(places: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Of names with the places they stand at, those that stand at two or more."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for name, place in places:
        by_name[name].append(place)
    return {name: found for name, found in by_name.items() if len(found) > 1}


def module_places(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The name of each module and package, with the folder that it stands in."""
    for file in map(PurePosixPath, files):
        here = file.parent if file.name == "__init__.py" else file.with_suffix("")
        if here.name == here.parent.name:  # a package's module of its own name
            continue
        yield here.name, here.parent.as_posix()


def is_alike(name: str, places: Collection[str]) -> bool:
    """Whether it is known why a module name stands at all these places."""
    _, folders = ALIKE.get(name, ("", ()))
    return set(places) <= set(folders)


@pytest.fixture(scope="module")
def sources() -> Mapping[str, str]:
    """Every file of the program, by its path below the root."""
    files = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
    assert files
    return {file.relative_to(ROOT).as_posix(): file.read_text() for file in files}


def test_no_class_name_stands_for_two_things(sources: Mapping[str, str]) -> None:
    """Whoever looks for a class by its name finds one."""
    twice = doubles(
        (name, f"{where}:{line}")
        for where, source in sources.items()
        for name, line in class_names(source)
    )
    assert twice == {}


def test_no_module_name_stands_for_two_things(sources: Mapping[str, str]) -> None:
    """But for the verbs and nouns that stand at two storeys, each where it is said to."""
    twice = doubles(module_places(sources))
    assert {name: where for name, where in twice.items() if not is_alike(name, where)} == {}


def test_no_exception_outlives_its_reason(sources: Mapping[str, str]) -> None:
    """Each name that may stand at several storeys does, at each of those that it is said to."""
    twice = doubles(module_places(sources))
    gone = {name for name, (_, places) in ALIKE.items() if set(places) - set(twice.get(name, ()))}
    assert gone == set()


def test_a_double_is_found() -> None:
    """A class within a function, a module in another room, and a third place of a known noun."""
    nested = "class Row: ...\ndef f():\n    class Row: ..."
    assert doubles((name, str(line)) for name, line in class_names(nested)) == {"Row": ["1", "3"]}
    files = ["core/store/files.py", "core/index/files/__init__.py", "core/files/files.py"]
    assert doubles(module_places(files)) == {"files": ["core/store", "core/index"]}
    assert is_alike("hash", ["functions", "local_runtime/commands"])
    assert not is_alike("hash", ["functions", "core"])
    assert not is_alike("files", ["core/store", "core/index"])


PRONOUNS = {"found", "given", "said"}
"""As names of parameters and variables they say nothing of what is held."""


def pronouns(source: str) -> Iterator[tuple[str, int]]:
    """Parameters and variables of a file that stand for no noun, and parameters called `of`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg) and node.arg in PRONOUNS | {"of"}:
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in PRONOUNS:
            yield node.id, node.lineno


def test_parameters_and_variables_are_nouns(sources: Mapping[str, str]) -> None:
    """Nobody has to look up what `given` was."""
    assert [
        f"{where}:{line}: {name}"
        for where, source in sources.items()
        for name, line in pronouns(source)
    ] == []


def test_a_pronoun_is_seen() -> None:
    """As a parameter, a variable and the target of a loop; a field of a value may be called so."""
    source = "class A:\n of: int\ndef f(given, *, of):\n said = 1\n for found in given: pass"
    assert {name for name, _ in pronouns(source)} == {"given", "of", "said", "found"}
