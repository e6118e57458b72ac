"""Fetching an exchange that was moved: from the start, and what HMA had of it keeps its ids."""

from pathlib import Path
from time import monotonic

from core.services import Services
from tests.core.transfer.conftest import contents_of, dump, move
from tests.hma import Hma, Row
from tests.published import catalog_entries, published_entries

KEPT, GONE, NEW = "ab" * 32, "cd" * 32, "ef" * 32


def test_records_take_over_content(hma: Hma, services: Services, tmp_path: Path) -> None:
    """Of the same key as text. What is gone there leaves, what is new gets an id of ours."""
    file = tmp_path / "list"
    file.write_text(f"pdq {KEPT}\npdq {NEW}\n")
    hma.run(
        "UPDATE exchange SET api_cls = 'local_file', fetching_enabled = true, "
        "typed_config = json_build_object('filename', %s::text)",
        str(file),
    )
    hma.run("DELETE FROM exchange_api_config")
    hma.put(
        Row(30, "NCMEC_LIST", {"pdq": KEPT}, 0, note="ours", record=str(("pdq", KEPT))),
        Row(31, "NCMEC_LIST", {"pdq": GONE}, record=str(("pdq", GONE))),
        Row(32, "TERROR", {"pdq": GONE}),
    )
    outcome, problems = move(hma, services)
    assert (outcome.complete, problems) == (True, [])
    report = services.fetcher.fetch("NCMEC_LIST", monotonic() + 60)
    assert (report.error, report.up_to_date, report.applied.removed) == (None, True, 1)
    [new] = set(contents_of(services)) - {30, 32}
    assert contents_of(services) == {
        30: Row(30, "NCMEC_LIST", {"pdq": KEPT}, 0, note="ours"),
        32: Row(32, "TERROR", {"pdq": GONE}),
        new: Row(new, "NCMEC_LIST", {"pdq": NEW}),
    }
    services.publisher.publish_all()
    assert published_entries(services) == catalog_entries(services)
    assert published_entries(services).keys() == {30, 32, new}

    hma.put(Row(33, "NCMEC_LIST", {"pdq": NEW}, record=str(("pdq", NEW))))
    outcome, problems = move(hma, services)
    told = [f"{problem.what}: {problem.why}" for problem in problems]
    assert told == ["content 31: differs: it is in HMA, and not here"]
    assert set(contents_of(services)) == {30, 32, 33}
    fetched = services.fetcher.fetch("NCMEC_LIST", monotonic() + 60)
    assert (fetched.error, fetched.applied.added, fetched.applied.removed) == (None, 0, 0)
    hma.run("DELETE FROM content_signal WHERE content_id = 31; "
            "DELETE FROM bank_content WHERE id = 31")  # fmt: skip
    before = dump(services)
    outcome, problems = move(hma, services)
    assert (outcome.complete, problems) == (True, [])
    after = dump(services)
    assert before | {"moved_content": []} == after | {"moved_content": []}
    assert {state.id for state in services.catalog.transfer.contents.states()} == {30, 32, 33}
