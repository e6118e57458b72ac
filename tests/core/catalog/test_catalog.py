"""The catalog as a whole: its nouns share one database, and one person acts in it."""

from sqlalchemy import event
from sqlalchemy.orm import Session

from core.catalog import Catalog
from core.catalog.database import ACTOR, PROGRAM


def test_every_change_knows_who_makes_it(catalog: Catalog) -> None:
    """By whichever noun; and it is the program itself where nobody else is named."""
    actors: list[str] = []

    @event.listens_for(Session, "before_commit")
    def record(session: Session) -> None:
        actors.append(session.info[ACTOR])

    curator = catalog.acting_as("ann")
    try:
        catalog.banks.create("A")
        content = curator.contents.add("A", {"pdq": "f0"})
        curator.exchanges.create("LIST", "scripted", {})
        curator.acting_as("bob").banks.delete("A")
        catalog.leases.take("a", "b", 1)
    finally:
        event.remove(Session, "before_commit", record)
    assert actors == [PROGRAM, "ann", "ann", "bob", PROGRAM]
    assert content.bank.name == "A"


def test_who_acts_shares_the_connections(catalog: Catalog) -> None:
    """A catalog for each request costs none of its own."""
    curator = catalog.acting_as("ann")
    catalog.banks.create("A")
    assert [bank.name for bank in curator.banks.every()] == ["A"]
    assert curator._database.engine is catalog._database.engine
