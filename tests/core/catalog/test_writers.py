"""Many writers at once, one reader of marks, and writers that are killed: nothing is lost."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from core.catalog import Catalog
from tests.core.catalog.follower import Follower, picture
from tests.core.catalog.processes import CHANGES, write, write_in_threads, write_until
from tests.forked import CONTEXT, ends_well, start


def check(catalog: Catalog, follower: Follower, writers: int, rounds: int) -> None:
    """The follower, done with all marks, equals the catalog, which has all that was written."""
    while follower.publish(limit=100):
        pass
    assert follower.picture() == picture(catalog)
    banks = {bank.name: bank.id for bank in catalog.banks.every()}
    assert set(banks) == {"ALL", *(f"OWN_{writer}_{rounds - 1}" for writer in range(writers))}
    entries = list(catalog.entries.every("pdq"))
    assert sum(entry.bank_id == banks["ALL"] for entry in entries) == 2 * writers * rounds
    assert len(entries) == 3 * writers * rounds
    assert len(list(catalog.entries.every("video_md5"))) == writers * rounds


def test_no_mark_is_lost_among_32_threads(catalog: Catalog) -> None:
    """Nor does any of them fail, however long the queue for the database is."""
    writers, rounds = 32, 3
    catalog.banks.create("ALL")
    follower = Follower(catalog)
    with ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(write, catalog, writer, rounds) for writer in range(writers)]
        while not all(done.done() for done in running):
            follower.publish(limit=100)
        for done in running:
            done.result()
    check(catalog, follower, writers, rounds)


def test_no_mark_is_lost_among_8_processes(url: str, catalog: Catalog) -> None:
    """Of 4 threads each."""
    processes, threads, rounds = 8, 4, 3
    catalog.banks.create("ALL")
    running = [
        start(write_in_threads, url, range(n * threads, (n + 1) * threads), rounds)
        for n in range(processes)
    ]
    follower = Follower(catalog)
    while any(process.is_alive() for process in running):
        follower.publish(limit=100)
    assert ends_well(running)
    check(catalog, follower, processes * threads, rounds)


@pytest.mark.parametrize("change", CHANGES)
def test_a_killed_writer_leaves_all_of_a_change_or_nothing(
    url: str, catalog: Catalog, change: str
) -> None:
    """Killed after each of its statements in turn; and it keeps nobody else from writing."""
    catalog.banks.create("A")
    catalog.contents.add("A", {"pdq": "f1" * 32, "video_md5": "0b" * 16})
    follower = Follower(catalog)
    follower.publish()
    before = picture(catalog)
    for statement in count(1):
        ours, its = CONTEXT.Pipe()
        process = start(write_until, url, change, statement, its)
        its.close()
        outcome = ours.recv()
        process.kill()
        process.join()
        if outcome == "done":
            break
        assert picture(catalog) == before
        assert [catalog.marks.pending(name, 10) for name in before] == [[], []]
        assert catalog.leases.take("still writable", "me", 60)
    assert statement > 3, "it was never stopped"
    assert picture(catalog) != before
    follower.publish()
    assert follower.picture() == picture(catalog)
