"""The catalog as those see it who move content into it, or out of it, in bulk."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from sqlmodel import Session

from core.catalog.catalog import Catalog
from core.catalog.transfer import moved, moved_content
from core.catalog.transfer.moved import MovedBank, MovedExchange, MovedOverride, Verdict
from core.catalog.transfer.moved_content import AT_ONCE, State
from core.errors import Forbidden

__all__ = ["AT_ONCE", "MovedBank", "MovedExchange", "MovedOverride", "Moving", "State"]

Refuse = Callable[[str, str], None]
"""Is told what was not done, and why."""


class Moving:
    """Bulk reads and writes of one catalog. Each call that writes is one transaction.

    Every method raises CatalogUnavailable as the catalog's do. All that write may be repeated,
    save `add`.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._database = catalog._database

    def reserve_ids(self, last: int) -> None:
        """See to it that content made here from now on has an id above `last`."""
        with self._database.writing() as session:
            moved_content.reserve_ids(session, last)

    def keep_banks(
        self, banks: Sequence[MovedBank], refuse: Refuse, *, overwrite: bool
    ) -> tuple[dict[str, int], int]:
        """Make or change banks; the id here of each by its key, and how many were written."""
        ids, written = {}, 0
        with self._database.writing() as session:
            moved.make_way(session, banks, overwrite=overwrite)
            for bank in banks:
                what = f"bank {bank.name}"
                try:
                    ids[bank.key], verdict = moved.keep_bank(session, bank, overwrite=overwrite)
                    written += _written(what, verdict, refuse)
                except Forbidden as error:
                    refuse(what, error.message)
        return ids, written

    def keep_exchanges(
        self, exchanges: Sequence[MovedExchange], refuse: Refuse, *, overwrite: bool
    ) -> tuple[dict[str, int], int]:
        """Make or change exchanges; the id here of each by its key, and how many were written."""
        ids, written = {}, 0
        with self._database.writing() as session:
            for exchange in exchanges:
                what = f"exchange {exchange.name}"
                try:
                    ids[exchange.key], verdict = moved.keep_exchange(
                        session, exchange, overwrite=overwrite
                    )
                    written += _written(what, verdict, refuse)
                except Forbidden as error:
                    refuse(what, error.message)
        return ids, written

    def keep_overrides(
        self, overrides: Iterable[MovedOverride], refuse: Refuse, *, overwrite: bool
    ) -> int:
        """Give signal types their ratios; how many were written."""
        with self._database.writing() as session:
            return sum(
                _written(
                    f"signal type {override.key}",
                    moved.keep_override(session, override, overwrite=overwrite),
                    refuse,
                )
                for override in overrides
            )

    def drop_others(self, noun: str, kept: Collection[str], refuse: Refuse) -> int:
        """Delete each moved `exchange`, `bank` or `signal_type` whose key is none of `kept`.

        Returns:
            How many there were. Of a bank the content goes first, with `drop`.
        """
        drop: Callable[[Session, str], None] = {
            "exchange": moved.drop_exchange,
            "bank": moved.drop_bank,
            "signal_type": moved.drop_override,
        }[noun]
        dropped = 0
        with self._database.writing() as session:
            for key in sorted(moved.keys(session, noun) - set(kept)):
                try:
                    drop(session, key)
                    dropped += 1
                except Forbidden as error:
                    refuse(noun, error.message)
        return dropped

    def put(self, states: Sequence[State]) -> set[int]:
        """Write content that is moved, at most `AT_ONCE`; the ids that content made here has."""
        with self._database.writing() as session:
            return moved_content.put(session, states)

    def drop(self, ids: Sequence[int]) -> int:
        """Delete moved content, at most `AT_ONCE`; how many of it were still here."""
        with self._database.writing() as session:
            return moved_content.drop(session, ids)

    def add(self, states: Sequence[State]) -> list[int]:
        """New content, at most `AT_ONCE`; their ids. Left out is what has an id that is taken."""
        with self._database.writing() as session:
            return moved_content.add(session, states)

    def digests(self) -> Iterator[tuple[int, str]]:
        """Id and digest of all content that was moved, by ascending id."""
        return moved_content.digests(self._database)

    def states(self, bank_ids: Collection[int] | None = None) -> Iterator[State]:
        """The present state of all content of these banks, or of all that was moved, by id."""
        return moved_content.states(self._database, bank_ids)

    def present(self, ids: Sequence[int]) -> dict[int, State]:
        """The present state of those of `ids`, at most `AT_ONCE`, that are here, by id."""
        with self._database.reading() as session:
            return moved_content.present(session, ids)

    def counts(self) -> dict[tuple[str | None, str | None], tuple[int, int]]:
        """By bank and signal type (None: contents) how many were moved, how many made here."""
        with self._database.reading() as session:
            return moved_content.counts(session)


def _written(what: str, verdict: Verdict, refuse: Refuse) -> int:
    if verdict == "changed here":
        refuse(what, "was changed here, and not there")
    return verdict == "written"
