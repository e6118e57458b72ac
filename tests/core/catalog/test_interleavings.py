"""Two changes at once, one held up after each of its statements: the marks must tell of both.

The second runs as far as it can, a publisher looks, and only then may the first go on. In
whichever order the database lets them through, the publisher must end equal to the catalog.
"""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import psycopg
import pytest
from sqlalchemy import event

from core.catalog import Catalog
from core.errors import NotFound
from tests.core.catalog.follower import Follower, picture

BOTH = {"pdq": "f0" * 32, "video_md5": "0a" * 16}
PDQ = {"pdq": "f1" * 32}

Change = Callable[[int, Catalog], object]

CHANGES: dict[str, Change] = {
    # The bank's only content has a pdq: an added video_md5 brings a type the bank did not have.
    "add": lambda _, catalog: catalog.contents.add("A", BOTH),
    "update": lambda content_id, catalog: catalog.contents.update("A", content_id, note="n"),
    "remove": lambda content_id, catalog: catalog.contents.delete("A", content_id),
    "rename": lambda _, catalog: catalog.banks.update("A", "B", None),
    "ratio": lambda _, catalog: catalog.banks.update("A", None, 0.5),
    "drop": lambda _, catalog: catalog.banks.delete("A"),
}


class Running(threading.Thread):
    """A change in a thread and on connections of its own, held after its `hold`-th statement.

    Attributes:
        held: set once it is there, or done without getting there.
        waiting: it has asked to write, so it is waiting if somebody else is writing (SQLite).
    """

    def __init__(
        self, url: str, work: Callable[[Catalog], object], hold: int | None = None
    ) -> None:
        super().__init__()
        self.held, self.waiting, self.go = threading.Event(), threading.Event(), threading.Event()
        self.stopped = False
        self.error: BaseException | None = None
        self._work, self._hold, self._statements = work, hold, 0
        self._catalog = Catalog(url)
        engine = self._catalog._database.engine
        event.listen(engine, "before_cursor_execute", self._executes)
        event.listen(engine, "after_cursor_execute", self._has_executed)
        self.start()

    def run(self) -> None:
        try:
            self._work(self._catalog)
        except NotFound:
            pass  # the other change took away what this one was about
        except BaseException as error:
            self.error = error
        finally:
            self._catalog.close()
            self.held.set()

    def result(self) -> None:
        """Let it go on, wait for its end, and raise what it raised."""
        self.go.set()
        self.join()
        if self.error is not None:
            raise self.error

    def _executes(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement == "BEGIN IMMEDIATE":
            self.waiting.set()

    def _has_executed(self, *_: object) -> None:
        self._statements += 1
        if self._statements == self._hold:
            self.stopped = True
            self.held.set()
            self.go.wait()


@pytest.fixture
def lock_waits(url: str) -> Iterator[Callable[[], int]]:
    """How many connections to the test's PostgreSQL wait for a lock."""
    if url.startswith("sqlite"):
        yield lambda: 0
        return
    with psycopg.connect(url, autocommit=True) as connection:

        def waits() -> int:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone()
            assert row is not None
            return int(row[0])

        yield waits


def come_to_rest(threads: list[Running], lock_waits: Callable[[], int]) -> None:
    """Wait until each of them is done or waits for a lock of the change that is held up."""
    while True:
        alive = [thread for thread in threads if thread.is_alive()]
        if lock_waits() == len(alive) or (alive and all(t.waiting.is_set() for t in alive)):
            return
        time.sleep(0.001)  # for them to get there


@pytest.mark.parametrize("second", CHANGES)
@pytest.mark.parametrize("first", CHANGES)
def test_any_interleaving_leaves_the_marks_that_tell_of_it(
    url: str, catalog: Catalog, lock_waits: Callable[[], int], first: str, second: str
) -> None:
    """Wherever one change is held up while another and a publisher go on, the next publish equals
    the catalog."""
    follower = Follower(catalog)
    for hold in count(1):
        catalog.banks.create("A", 1.0)
        content_id = catalog.contents.add("A", PDQ).id
        follower.publish()

        held = Running(url, partial(CHANGES[first], content_id), hold)
        held.held.wait()
        other = Running(url, partial(CHANGES[second], content_id))
        come_to_rest([other], lock_waits)
        taken = follower.take()
        clearing = Running(url, partial(follower.clear, taken))
        come_to_rest([other, clearing], lock_waits)
        for thread in (held, other, clearing):
            thread.result()

        follower.publish()
        assert follower.picture() == picture(catalog), f"held after statement {hold}"
        for bank in catalog.banks.every():
            catalog.banks.delete(bank.name)
        follower.publish()
        if not held.stopped:
            assert hold > 3, "it was never held up"
            return
