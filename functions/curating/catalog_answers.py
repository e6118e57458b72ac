"""A bank and a content as clients know them, and what is answered when there is no more to say.

Typed dictionaries, because a key that need not be there is left out rather than null.
"""

from typing import NotRequired

from typing_extensions import TypedDict

from core.catalog import Bank, Content


class DoneAnswer(TypedDict):
    message: str


class BankAnswer(TypedDict):
    matching_enabled_ratio: float
    name: str
    allow_list: NotRequired[bool]
    crops: NotRequired[bool]
    thresholds: NotRequired[dict[str, int]]


class ContentAnswer(TypedDict):
    bank: BankAnswer
    disable_until_ts: int
    id: int
    original_media_uri: str | None
    labels: NotRequired[list[str]]


def bank_answer(bank: Bank) -> BankAnswer:
    """A bank as HMA's clients know it, and of what they do not know only what it has."""
    answer: BankAnswer = {"matching_enabled_ratio": bank.enabled_ratio, "name": bank.name}
    if bank.allow_list:
        answer["allow_list"] = True
    if bank.thresholds:
        answer["thresholds"] = dict(bank.thresholds)
    if bank.crops:
        answer["crops"] = True
    return answer


def content_answer(content: Content) -> ContentAnswer:
    """A content without its signals, metadata and note, which not every answer has."""
    answer: ContentAnswer = {
        "bank": bank_answer(content.bank),
        "disable_until_ts": content.disable_until_ts,
        "id": content.id,
        "original_media_uri": content.original_media_uri,
    }
    if content.labels:
        answer["labels"] = list(content.labels)
    return answer
