"""The forms of files: what they say, what they guess, and what they refuse."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest

from core.catalog.transfer.content_state import ContentState
from core.errors import BadInput, NotFound
from core.services import Services
from core.transfer import csv_table, jsonl
from core.transfer.export_banks import export_banks
from core.transfer.import_file import FileImport, Imported
from core.transfer.line import Line
from tests.core.transfer.conftest import contents_of, dump
from tests.hma import Row, rows

WRITE = {"jsonl": jsonl.write, "csv": csv_table.write}
PDQ, MD5 = "ab" * 32, "cd" * 16


def read(
    services: Services,
    text: str,
    bank: str | None = "B",
    signal_type: str | None = None,
    *,
    keep_ids: bool = False,
) -> tuple[Imported, list[str]]:
    """Import `text`: what became of it, and what was told."""
    told: list[str] = []
    run = FileImport(
        services.catalog,
        services.signal_types,
        bank,
        signal_type,
        keep_ids=keep_ids,
        report=lambda problem: told.append(f"{problem.what}: {problem.why}"),
        progress=lambda _: None,
    )
    return run.run(io.StringIO(text, newline="")), told


def written(services: Services, form: str, *names: str) -> str:
    """The text of an export."""
    file = io.StringIO(newline="")
    WRITE[form](export_banks(services.catalog, names), file)
    return file.getvalue()


def fill(services: Services) -> None:
    """Banks with everything that content can have."""
    catalog = services.catalog
    catalog.banks.create("TERROR", 0.25)
    catalog.banks.create("SOMETIMES", thresholds={"pdq": 20})
    catalog.banks.create("NCMEC_LIST", allow_list=True)
    catalog.banks.create("EMPTY", 0)
    banks = {bank.name: bank.id for bank in catalog.banks.every()}
    states = [
        ContentState(
            row.id,
            banks[row.bank],
            tuple(sorted(row.signals.items())),
            row.disable_until_ts,
            row.uri,
            row.metadata,
            row.note,
            labels=("a b", "é") if row.id % 7 == 0 else (),
        )
        for row in rows(1500, seed=3)
    ]
    several = (("pdq", PDQ), ("pdq", "0" * 64), ("pdq", "ef" * 32), ("video_md5", MD5))
    odd = 'a,b\n"quoted"\r\n;=1+1'
    states.append(ContentState(99_999, banks["TERROR"], several, note=odd))
    for start in range(0, len(states), 1000):
        services.catalog.transfer.contents.add(states[start : start + 1000])


@pytest.mark.parametrize("form", WRITE)
def test_a_round_trip_keeps_everything(new_services: Callable[[], Services], form: str) -> None:
    """Banks, ids, signals also where several are of one type, notes, labels, whatever they hold."""
    first, second = new_services(), new_services()
    fill(first)
    text = written(first, form)
    imported, told = read(second, text, None, keep_ids=True)
    assert (imported, told) == (Imported(1501, 0, 0), [])
    before = dump(second)
    marked = {row[:2] for row in before["dirty"]}  # whose versions are never the same
    assert marked == {row[:2] for row in dump(first)["dirty"]}
    assert before | {"dirty": []} == dump(first) | {"dirty": []}
    assert written(second, form) == text
    assert read(second, text, None, keep_ids=True)[0] == Imported(0, 1501, 0)
    assert dump(second) == before
    assert second.catalog.contents.add("TERROR", {"pdq": PDQ}).id > 99_999


@pytest.mark.parametrize("form", WRITE)
def test_without_ids_content_gets_new_ones(new_services: Callable[[], Services], form: str) -> None:
    """All of it is there, once, however often it is imported."""
    first, second = new_services(), new_services()
    fill(first)
    second.catalog.banks.create("OTHERS")
    second.catalog.contents.add("OTHERS", {"pdq": PDQ})
    text = written(first, form)
    assert read(second, text, None)[0] == Imported(1501, 0, 0)
    assert read(second, text, None)[0] == Imported(0, 1501, 0)

    def bare(services: Services) -> list[Row]:
        found = (row for row in contents_of(services).values() if row.bank != "OTHERS")
        return [replace(row, id=0) for row in found]

    assert bare(second) == bare(first)
    second.publisher.publish("pdq")


def test_one_bank_of_several(services: Services) -> None:
    """Only what was named is exported, and a name that is none is told."""
    fill(services)
    text = written(services, "jsonl", "SOMETIMES")
    assert text.startswith('{"bank":"SOMETIMES","enabled_ratio":1.0,"thresholds":{"pdq":20}}\n')
    assert '"bank":"TERROR"' not in text
    assert read(services, text, "COPY")[1] == []
    copied = [row for row in contents_of(services).values() if row.bank == "COPY"]
    assert len(copied) == text.count("\n") - 1
    with pytest.raises(NotFound, match="there is no bank X, Y"):
        written(services, "jsonl", "X", "EMPTY", "Y")


def test_a_content_banked_twice_is_exported_twice(services: Services) -> None:
    """And imported twice: the same content may well be there twice on purpose."""
    services.catalog.banks.create("A")
    for _ in range(2):
        services.catalog.contents.add("A", {"pdq": PDQ})
    text = written(services, "jsonl")
    assert read(services, text, "B")[0] == Imported(2, 0, 0)
    assert read(services, text, "B")[0] == Imported(0, 2, 0)


def test_a_bare_list(services: Services) -> None:
    """Types are told by form, in any case; what is there already, or twice, is banked once."""
    text = f"\n# ours\n{PDQ}\n  {MD5.upper()}\r\n{PDQ.upper()}\n\nno hash\n"
    imported, told = read(services, text)
    assert imported == Imported(2, 1, 1)
    assert told == [
        "line 7: 'no hash' has the form of no enabled signal type: say which with --type"
    ]
    assert [row.signals for row in contents_of(services).values()] == [
        {"pdq": PDQ},
        {"video_md5": MD5},
    ]
    assert read(services, text)[0] == Imported(0, 3, 1)
    services.publisher.publish("pdq")


def test_what_may_be_two_types_is_not_guessed(services: Services) -> None:
    """It is told, and can be said."""
    settings = services.settings.model_copy(update={"signal_types": ("pdq", "video_sha256")})
    both = Services(settings)
    _, told = read(both, PDQ)
    assert told == ["line 1: it may be pdq or video_sha256: say which with --type"]
    assert read(both, PDQ, "B", "video_sha256")[0] == Imported(1, 0, 0)
    assert [row.signals for row in contents_of(both).values()] == [{"video_sha256": PDQ}]
    with pytest.raises(BadInput, match="No such SignalType 'x'"):
        read(both, PDQ, "B", "x")
    both.catalog.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"signals": {"pdq": "x"}}', "line 1: Invalid pdq signal: invalid PDQ hash"),
        ('{"signals": {"x": "x"}}', "line 1: No such signal type x"),
        ('{"signals": {}}', "line 1: No signals given"),
        ('\n{"signals": 1}',
         "line 2: signals should be an object of strings, or of lists of strings"),
        ('{"signals": {"pdq": 1}}',
         "line 1: signals should be an object of strings, or of lists of strings"),
        (f'{{"signals": {{"pdq": "{PDQ}"}}, "note": 1}}', "line 1: note should be a string"),
        (f'{{"signals": {{"pdq": "{PDQ}"}}, "labels": 1}}',
         "line 1: labels should be a list of strings"),
        (f'{{"signals": {{"pdq": "{PDQ}"}}, "metadata": []}}',
         "line 1: metadata should be a json object"),
        (f'{{"signals": {{"pdq": "{PDQ}"}}, "disable_until_ts": -1}}',
         "line 1: disable_until_ts must be a non-negative integer"),
        (f'{{"signals": {{"pdq": "{PDQ}"}}, "original_media_uri": 1}}',
         "line 1: original_media_uri should be text"),
        (f'{{"signals": {{"pdq": "{PDQ}"}}, "id": "1"}}', "line 1: id should be an integer"),
        ('{"bank": 1}', "line 1: bank should be a string"),
        ("{", "line 1: it is no JSON: Expecting property name enclosed in double quotes"),
        ("{}\n[]", "line 2: it is no JSON object"),
        (f"signal_type,signal\npdq,{PDQ},x", "line 2: it has more fields than the header"),
        (f"signal_type,signal,id\npdq,{PDQ},x",
         "line 2: invalid literal for int() with base 10: 'x'"),
        (f"signal,signal_type\n{PDQ},md5", "line 2: No such signal type md5"),
        (f"{PDQ}\n{PDQ}\udcff", f"line 2: '{PDQ}\\udcff' has the form of no enabled signal type: "
                                "say which with --type"),
    ],
)  # fmt: skip
def test_a_bad_line_is_told_and_the_rest_imported(services: Services, text: str, told: str) -> None:
    """The line is named by its number, and nothing of it is kept."""
    more = {"{": f'\n{{"signals": {{"video_md5": "{MD5}"}}}}', "s": ""}.get(
        text.lstrip()[0], f"\n{MD5}"
    )
    imported, problems = read(services, text + more)
    assert told in problems
    assert imported.added == (1 if more else 0) + text.startswith(PDQ)
    assert PDQ not in str(contents_of(services)) or text.startswith(PDQ)


def test_a_line_without_a_bank(services: Services) -> None:
    """Neither in the line nor with --bank; and a name that is none."""
    assert read(services, f'{{"signals": {{"pdq": "{PDQ}"}}}}', None)[1] == [
        "line 1: it names no bank: say which with --bank"
    ]
    assert read(services, '{"bank": "lower"}', None)[1] == [
        "line 1: Bank names must be UPPER_WITH_UNDERSCORE"
    ]
    assert read(services, '{"bank": "B", "thresholds": {"pdq": 99}}', None)[0].problems == 1
    assert read(services, '{"bank": "B", "thresholds": []}', None)[0].problems == 0
    with pytest.raises(BadInput, match="UPPER_WITH_UNDERSCORE"):
        read(services, PDQ, "lower")


def test_ids_that_are_taken_are_told(services: Services) -> None:
    """Content keeps its id, or is left out; what is there already is never changed."""
    services.catalog.banks.create("B")
    own = services.catalog.contents.add("B", {"pdq": PDQ}).id
    line = '{{"id": {}, "signals": {{"video_md5": "{}"}}}}\n'
    text = line.format(own, MD5) + line.format(50, MD5) + line.format(50, "0" * 32)
    imported, told = read(services, text + '{"signals": {"video_md5": "x"}}', keep_ids=True)
    assert imported == Imported(1, 0, 3)
    assert told == [
        "line 4: it has no id to keep",
        f"line 1: other content has the id {own}",
        "line 3: other content has the id 50",
    ]
    found = {key: row.signals for key, row in contents_of(services).items()}
    assert found == {own: {"pdq": PDQ}, 50: {"video_md5": MD5}}


def test_exported_lines_are_read_one_by_one(services: Services) -> None:
    """Nothing of a bank is read before its first line is wanted."""
    fill(services)
    lines = export_banks(services.catalog, ())
    first: list[Line] = [next(lines) for _ in range(5)]
    services.catalog.banks.delete("TERROR")
    services.catalog.banks.delete("SOMETIMES")
    services.catalog.banks.delete("NCMEC_LIST")
    assert len(first) + len(list(lines)) < 1501
