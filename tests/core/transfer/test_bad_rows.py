"""Rows that break our rules: each is told with its reason, and nothing else is lost for it."""

import pytest

from core.services import Services
from tests.core.transfer.conftest import contents_of, dump, move
from tests.hma import LOOSE, Hma, Row

GOOD = Row(1, "TERROR", {"pdq": "ab" * 32})


@pytest.fixture
def loose(hma: Hma) -> Hma:
    """An HMA that checks nothing any more, with one content that is fine."""
    hma.put(GOOD)
    hma.run(LOOSE)
    return hma


CONTENT = "INSERT INTO bank_content (id, bank_id, disable_until_ts) VALUES (2, 3, 1)"
BAD: dict[str, tuple[str, str, Row | None]] = {
    "signal": (
        f"{CONTENT}; INSERT INTO content_signal VALUES (2, 'pdq', 'no hash'),"
        f" (2, 'video_md5', '{'0' * 32}')",
        "content 2: Invalid pdq signal: invalid PDQ hash: kept without it",
        Row(2, "TERROR", {"video_md5": "0" * 32}),
    ),
    "upper case": (
        f"{CONTENT}; INSERT INTO content_signal VALUES (2, 'pdq', '{'AB' * 32}')",
        "content 2: Invalid pdq signal: invalid PDQ hash: kept without it",
        Row(2, "TERROR", {}),
    ),
    "signal of no content": (
        f"INSERT INTO content_signal VALUES (2, 'pdq', '{'0' * 64}')",
        "pdq signal of content 2: there is no such content: left out",
        None,
    ),
    "signal of no content, before all others": (
        f"INSERT INTO content_signal VALUES (-2, 'pdq', '{'0' * 64}')",
        "pdq signal of content -2: there is no such content: left out",
        None,
    ),
    "content of no bank": (
        "INSERT INTO bank_content (id, bank_id, disable_until_ts) VALUES (2, 999, 1)",
        "content 2: there is no bank 999 that it could be in: left out",
        None,
    ),
    "negative id": (
        "INSERT INTO bank_content (id, bank_id, disable_until_ts) VALUES (-5, 3, 1)",
        "content -5: ids are positive: left out",
        None,
    ),
    "content of no record": (
        "INSERT INTO bank_content (id, bank_id, disable_until_ts, imported_from_id) "
        "VALUES (2, 9, 1, 999)",
        "content 2: it was imported from record 999, which is not there: "
        "kept as if it had been banked by hand",
        Row(2, "NCMEC_LIST", {}),
    ),
    "long note": (
        f"{CONTENT}; UPDATE bank_content SET note = repeat('é', 256) WHERE id = 2",
        "content 2: note must be at most 255 characters: cut off there",
        Row(2, "TERROR", {}, note="é" * 255),
    ),
    "time": (
        f"{CONTENT}; UPDATE bank_content SET disable_until_ts = -1 WHERE id = 2",
        "content 2: disable_until_ts -1 is no time: taken as enabled",
        Row(2, "TERROR", {}),
    ),
    "metadata that is no object": (
        f"{CONTENT}; UPDATE bank_content SET bank_content_metadata = '[1]' WHERE id = 2",
        "content 2: metadata should be a json object: kept without metadata",
        Row(2, "TERROR", {}),
    ),
    "metadata with an unknown key": (
        f"{CONTENT}; UPDATE bank_content SET bank_content_metadata = '{{\"x\": 1}}' WHERE id = 2",
        "content 2: Invalid metadata: x: Extra inputs are not permitted: kept without metadata",
        Row(2, "TERROR", {}),
    ),
    "metadata that no database of ours can hold": (
        f"{CONTENT}; UPDATE bank_content SET bank_content_metadata = "
        '\'{"content_id": "\\u0000"}\' WHERE id = 2',
        "content 2: Invalid metadata: text must be UTF-8 without NUL: kept without metadata",
        Row(2, "TERROR", {}),
    ),
    "JSON that is none": (
        "ALTER TABLE bank_content ALTER bank_content_metadata TYPE text;"
        f"{CONTENT}; UPDATE bank_content SET bank_content_metadata = '{{' WHERE id = 2",
        "content 2: it is no JSON (Expecting property name enclosed in double quotes): "
        "kept without metadata",
        Row(2, "TERROR", {}),
    ),
    "JSON too deep": (
        f"{CONTENT}; UPDATE bank_content SET bank_content_metadata = "
        "(repeat('[', 3000) || repeat(']', 3000))::json WHERE id = 2",
        "content 2: it is no JSON (maximum recursion depth exceeded while decoding a JSON array "
        "from a unicode string): kept without metadata",
        Row(2, "TERROR", {}),
    ),
    "bank's name": (
        "INSERT INTO bank VALUES (70, 'lower case', 1);"
        "INSERT INTO bank_content (id, bank_id, disable_until_ts) VALUES (2, 70, 1)",
        "bank 'lower case': Bank names must be UPPER_WITH_UNDERSCORE: left out with all its "
        "content. Rename it in HMA and run this again",
        None,
    ),
    "ratio": (
        "UPDATE bank SET enabled_ratio = 7 WHERE name = 'EMPTY'",
        "bank 'EMPTY': enabled_ratio 7.0 must be between 0 and 1: taken as 1.0",
        None,
    ),
    "ratio that is no number": (
        "UPDATE signal_type_override SET enabled_ratio = 'NaN'",
        "signal type video_md5: enabled_ratio nan must be between 0 and 1: taken as 0",
        None,
    ),
    "type that is not enabled": (
        f"{CONTENT}; INSERT INTO content_signal VALUES (2, 'vpdq', '[]')",
        "signal type vpdq: its 1 signals are kept, but match nothing until HMA_SIGNAL_TYPES "
        "names it",
        Row(2, "TERROR", {"vpdq": "[]"}),
    ),
    "exchange's config": (
        "UPDATE exchange SET typed_config = '[]'",
        "exchange 'NCMEC_LIST': typed_config: it is no JSON object: kept without it",
        None,
    ),
    "exchange's API": (
        "UPDATE exchange SET api_cls = 'mine'",
        "exchange 'NCMEC_LIST': No such exchange type 'mine': kept, but it can't be fetched "
        "like this",
        None,
    ),
    "exchange without a bank": (
        "UPDATE bank SET import_from_exchange_id = NULL",
        "exchange 'NCMEC_LIST': it feeds no bank that is moved: left out",
        None,
    ),
    "credentials": (
        'UPDATE exchange_api_config SET default_credentials_json = \'{"user": "secret"}\'',
        "credentials of ncmec: Invalid credentials for 'ncmec': see field 'password': left out",
        None,
    ),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_row_is_told_and_keeps_what_it_can(loose: Hma, services: Services, bad: str) -> None:
    """The rest is moved, the run says it is not complete, and another run changes nothing."""
    statements, told, kept = BAD[bad]
    loose.run(statements)
    outcome, problems = move(loose, services)
    assert told in {f"{problem.what}: {problem.why}" for problem in problems}
    assert (outcome.complete, outcome.differences) == (False, 0)
    assert "secret" not in str(problems)
    assert contents_of(services) == {row.id: row for row in (GOOD, kept) if row is not None}
    before = dump(services)
    again, problems_again = move(loose, services)
    assert (again.complete, problems_again) == (False, problems)
    assert dump(services) == before


@pytest.mark.parametrize(
    "bad", ["signal of no content", "content of no bank", "bank's name", "signal"]
)
def test_counts_show_what_was_left_out(loose: Hma, services: Services, bad: str) -> None:
    """Beside the list of problems, where the numbers of both sides stand."""
    loose.run(BAD[bad][0])
    outcome, _ = move(loose, services)
    assert [row for row in outcome.table if not row.same]


def test_a_bank_that_becomes_bad_keeps_its_content(loose: Hma, services: Services) -> None:
    """What was moved before is not taken for gone."""
    move(loose, services)
    loose.run("UPDATE bank SET name = 'terror' WHERE name = 'TERROR'")
    outcome, _ = move(loose, services)
    assert not outcome.complete
    assert contents_of(services) == {1: GOOD}


def test_two_contents_of_one_record(loose: Hma, services: Services) -> None:
    """Both are kept; the record can take over but one of them, which is told."""
    loose.put(Row(2, "NCMEC_LIST", {"pdq": "ab" * 32}, record="key"))
    move(loose, services)
    loose.put(Row(5000, "NCMEC_LIST", {"pdq": "ab" * 32}, record="key"))
    outcome, problems = move(loose, services)
    assert set(contents_of(services)) == {1, 2, 5000}
    assert [f"{p.what}: {p.why}" for p in problems] == ["content 2: differs in record"]
    assert not outcome.complete


def test_a_type_that_hma_had_switched_off_is_nothing_to_tell(
    loose: Hma, services: Services
) -> None:
    """Its signals matched nothing there either."""
    loose.run(BAD["type that is not enabled"][0])
    loose.run("INSERT INTO signal_type_override (name, enabled_ratio) VALUES ('vpdq', 0)")
    outcome, problems = move(loose, services)
    assert (outcome.complete, problems) == (True, [])
