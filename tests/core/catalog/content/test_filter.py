"""Pages of content, and which contents are on them, on both databases."""

import random

from sqlalchemy import event

from core.catalog import Catalog, Content, ContentFilter


def banked(catalog: Catalog, bank: str, name: str = "pdq", **more: object) -> Content:
    return catalog.contents.add(bank, {name: f"signal of {name}"}, **more)  # type: ignore[arg-type]


def test_pages_equal_the_content_one_by_one(catalog: Catalog) -> None:
    """Whatever the bank, the label, the type and the page, as choosing by hand gives it."""
    rng = random.Random(4)
    made = []
    for bank in "A", "B":
        catalog.banks.create(bank)
    for _ in range(40):
        labels = rng.sample(["x", "y", "Z", "é"], rng.randrange(4))
        bank, name = rng.choice("AB"), rng.choice(["pdq", "video_md5"])
        made.append(banked(catalog, bank, name, labels=labels, note=rng.choice([None, "n"])))
    for gone in rng.sample(made, 8):
        catalog.contents.delete(gone.bank.name, gone.id)
        made.remove(gone)
    for bank_name in "A", "B", None:
        for label in "x", "Z", "é", "never", None:
            for type_name in "pdq", "never", None:
                for ids in [made[3].id, made[9].id, 10**9], None:
                    expected = [
                        one
                        for one in made
                        if bank_name in (None, one.bank.name)
                        and (label is None or label in one.labels)
                        and (type_name is None or type_name in one.signals)
                        and (ids is None or one.id in ids)
                    ]
                    found: list[Content] = []
                    after: int | None = 0
                    while after is not None:
                        wanted = ContentFilter(bank_name, label, type_name, ids)
                        page = catalog.contents.page(wanted, after=after, limit=7)
                        found += page.contents
                        after = page.following
                    assert found == expected


def test_a_page_costs_a_few_statements_whatever_its_length(catalog: Catalog) -> None:
    """No query a content."""
    catalog.banks.create("A")
    for _ in range(30):
        banked(catalog, "A", labels=["x"])
    seen: list[str] = []
    engine = catalog._database.engine

    @event.listens_for(engine, "after_cursor_execute")
    def record(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    costs = []
    for limit in 1, 30:
        seen.clear()
        assert len(catalog.contents.page(ContentFilter("A"), limit=limit).contents) == limit
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 4
