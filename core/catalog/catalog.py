"""The catalog as the rest of the program sees it: one method for each thing that is asked."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from core.catalog import bank, content, entries, lease, listing
from core.catalog.bank import Bank
from core.catalog.content import UNSET, Content
from core.catalog.database import Database
from core.catalog.exchanges import ExchangeCatalog
from core.catalog.listing import Counts, Page
from core.catalog.marks import clear, pending
from core.catalog.migrate import migrate
from core.index.entry import Entry, IndexedBank, Mark


class Catalog:
    """Banks and their content in one SQL database: a publisher's `core.index.source.CatalogSource`.

    Every change is one transaction, which also marks what an index must learn of it. Safe for
    use by many threads, and by children that a process forks after it was made.

    Args:
        url: `sqlite:////path/to/file.db` or `postgresql://user:password@host/name`.

    Raises:
        Misconfigured: the URL is neither. Nothing is opened yet.

    Every method raises CatalogUnavailable when the database can't be reached. After that a
    change may have been made nevertheless, if the answer to its commit was what got lost.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.exchanges = ExchangeCatalog(self._database)

    def migrate(self) -> None:
        """Bring the tables to what this version needs. Safe to repeat, and at once with others."""
        migrate(self._database)

    def close(self) -> None:
        """Close this process's idle connections; the catalog can still be used."""
        self._database.close()

    def create_bank(
        self,
        name: str,
        enabled_ratio: float = 1.0,
        *,
        allow_list: bool = False,
        thresholds: Mapping[str, int] | None = None,
        crops: bool = False,
    ) -> Bank:
        """A new bank. Raises BadInput (name, ratio) or Forbidden (the name is taken).

        Args:
            thresholds: checked already.
        """
        with self._database.writing() as session:
            return bank.create(session, name, enabled_ratio, allow_list, thresholds, crops)

    def bank(self, name: str) -> Bank:
        """The bank of this name. Raises NotFound."""
        with self._database.reading() as session:
            return bank.find(session, name)

    def list_banks(self) -> list[Bank]:
        """All banks, by id."""
        with self._database.reading() as session:
            return bank.every(session)

    def update_bank(
        self,
        name: str,
        new_name: str | None = None,
        enabled_ratio: float | None = None,
        *,
        allow_list: bool | None = None,
        thresholds: Mapping[str, int] | None = None,
        crops: bool | None = None,
    ) -> Bank:
        """The bank with what is not None changed. Raises NotFound, BadInput or Forbidden.

        Args:
            thresholds: all of them, checked already.
        """
        with self._database.writing() as session:
            return bank.update(
                session, name, new_name, enabled_ratio, allow_list, thresholds, crops
            )

    def delete_bank(self, name: str) -> None:
        """Delete the bank with all its content; nothing happens when there is none."""
        with self._database.writing() as session:
            bank.remove(session, name)

    def add_content(
        self,
        bank_name: str,
        signals: Mapping[str, str],
        metadata: dict[str, Any] | None = None,
        note: str | None = None,
        uri: str | None = None,
        labels: list[str] | None = None,
        crops: Sequence[str] = (),
    ) -> Content:
        """New content, of normalised signals by type. Raises NotFound or BadInput.

        Args:
            crops: PDQ hashes of crops of it, which are matched too.

        Not safe to repeat: each call that succeeds makes one more content.
        """
        with self._database.writing() as session:
            return content.add(session, bank_name, signals, metadata, note, uri, labels, crops)

    def content(self, bank_name: str, content_id: int) -> Content:
        """This content of this bank. Raises NotFound."""
        with self._database.reading() as session:
            return content.get(session, bank_name, content_id)

    def contents(
        self,
        bank_name: str | None = None,
        *,
        after: int = 0,
        limit: int = 100,
        label: str | None = None,
        signal_type: str | None = None,
        ids: Collection[int] | None = None,
    ) -> Page:
        """A page of the contents of one bank, or of all banks, by ascending id.

        Args:
            after: the `following` of the page before.
            label, signal_type, ids: only contents with this label, with signals of this type, of
                these ids.

        Raises:
            NotFound: no such bank.
        """
        with self._database.reading() as session:
            return listing.page(
                session,
                bank_name,
                after=after,
                limit=limit,
                label=label,
                signal_type=signal_type,
                ids=ids,
            )

    def counts(self, bank_name: str) -> Counts:
        """How many contents a bank has, in all and by signal type. Raises NotFound."""
        with self._database.reading() as session:
            return listing.counts(session, bank_name)

    def update_content(
        self,
        bank_name: str,
        content_id: int,
        *,
        disable_until_ts: Any = UNSET,
        note: Any = UNSET,
        labels: Any = UNSET,
    ) -> Content:
        """The content with what is given changed. Raises NotFound or BadInput.

        Args:
            disable_until_ts: 1 enabled, 0 disabled, else disabled until that Unix time, at most
                five years ahead. Digits in a string count as a number.
            note: at most 255 characters; "" or None clears it.
            labels: all of them, a list; None is none.
        """
        with self._database.writing() as session:
            return content.update(session, bank_name, content_id, disable_until_ts, note, labels)

    def delete_content(self, bank_name: str, content_id: int) -> int:
        """Delete this content of this bank: 1, or 0 if it is not there. Raises NotFound (bank)."""
        with self._database.writing() as session:
            return content.remove(session, bank_name, content_id)

    def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Take or renew a lease for `seconds` from now (0 gives it back): whether it is ours."""
        with self._database.writing() as session:
            return lease.take(session, name, holder, seconds)

    def leased_to(self, name: str) -> str | None:
        """Who has the lease `name` now, None if nobody has."""
        with self._database.reading() as session:
            return lease.holder(session, name)

    def marks(self, signal_type: str, limit: int, ids: range | None = None) -> list[Mark]:
        """Up to `limit` changes of this type that await publication, by content id.

        Args:
            ids: only of content within these.
        """
        with self._database.reading() as session:
            return pending(session, signal_type, limit, ids)

    def entries(self, signal_type: str, content_ids: Sequence[int]) -> Iterator[Entry]:
        """Those of `content_ids` that exist and have such signals, read when it is iterated."""
        return entries.of(self._database, signal_type, content_ids)

    def all_entries(self, signal_type: str, within: range | None = None) -> Iterator[Entry]:
        """All content with such signals (of ids `within`) by ascending id, read as iterated."""
        return entries.every(self._database, signal_type, within)

    def following(self, signal_type: str, start: int) -> int | None:
        """The smallest content id with such signals, from `start` on; None if there is none."""
        with self._database.reading() as session:
            return entries.following(session, signal_type, start)

    def banks(self) -> list[IndexedBank]:
        """All banks as answers name them, by id."""
        with self._database.reading() as session:
            return bank.indexed(session)

    def enabled_ratio(self, signal_type: str) -> float:
        """Of all lookups of this type the share that is answered; 0 where it is switched off."""
        return self.exchanges.enabled_ratio(signal_type)

    def clear(self, signal_type: str, marks: Sequence[Mark]) -> None:
        """Forget those marks whose version is still the same. Safe to repeat."""
        clear(self._database, signal_type, marks)
