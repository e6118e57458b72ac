"""Labels: the words that curators give content, to find it by."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col

from core.catalog.models import NAME_LENGTH, LabelRow
from core.catalog.text import storable
from core.errors import BadInput

MOST_LABELS = 64


def checked_labels(labels: Any) -> tuple[str, ...]:
    """Each once, ascending, without the space around them; None are none. Raises BadInput."""
    if labels is None:
        return ()
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise BadInput("labels should be a list of strings")
    words = tuple(sorted({label.strip() for label in labels}))
    if len(words) > MOST_LABELS:
        raise BadInput(f"content has at most {MOST_LABELS} labels")
    for word in words:
        if not (0 < len(word) <= NAME_LENGTH and "," not in word and storable(word)):
            raise BadInput(f"a label is 1 to {NAME_LENGTH} characters of UTF-8, no comma, no NUL")
    return words


def add_labels(session: Session, content_id: int, labels: Sequence[str]) -> None:
    """Write labels that the content does not have yet."""
    session.add_all(LabelRow(content_id=content_id, name=name) for name in labels)


def labels_of(session: Session, ids: Sequence[int] | Select[int]) -> dict[int, tuple[str, ...]]:
    """The labels of those of `ids` that have some, ascending."""
    rows = session.connection().execute(
        select(col(LabelRow.content_id), col(LabelRow.name))
        .where(col(LabelRow.content_id).in_(ids))
        .order_by(col(LabelRow.content_id))
    )
    # Sorted here: databases have orders of text of their own, and this one has to be one.
    return {
        content_id: tuple(sorted(name for _, name in group))
        for content_id, group in groupby(rows, key=itemgetter(0))
    }
