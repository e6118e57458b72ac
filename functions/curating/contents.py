"""Finding content, within a bank or in all of them; a part of the curate function."""

from typing import Annotated, Any, NotRequired

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from core.catalog import Content, ContentFilter
from core.errors import BadInput
from core.matching.lookup import LookupQuery
from functions.curating.catalog_answers import ContentAnswer, content_answer
from functions.curating.curator import Curating, Curator
from functions.web.answer import Hashes, Json
from functions.web.errors import errors
from functions.web.lookup_parameters import Scope
from functions.web.match_answer import snapshot_header
from functions.web.run_lookup import run_lookup

router = APIRouter(prefix="/c", tags=["Content"])

LARGEST_PAGE = 1000


class ListedContent(ContentAnswer):
    signals: Hashes
    note: str | None
    metadata: dict[str, Any] | None
    distance: NotRequired[str]


class ContentsAnswer(TypedDict):
    contents: list[ListedContent]
    next: int | None


class CountsAnswer(TypedDict):
    contents: int
    disabled: int
    signals: dict[str, int]
    crops: NotRequired[int]


class ContentsQuery(BaseModel):
    limit: int = Field(100, ge=1, le=LARGEST_PAGE, description="Most contents in one answer.")
    after: int = Field(0, ge=0, lt=2**63, description="`next` of the answer before this page.")
    content_id: int | None = Field(None, ge=0, lt=2**63, description="Only the content of this id.")
    label: str | None = Field(None, description="Only content with this label.")
    signal_type: str | None = Field(
        None, description="Only content with signals of this type; or the type of `signal`."
    )
    signal: str | None = Field(
        None, description="Only content that the index finds near this signal, nearest first."
    )
    min_snapshot: str | None = Field(
        None, description="For `signal`, the oldest snapshot to search, as for lookups."
    )


@router.get("/contents", response_model=ContentsAnswer, responses=errors(400, 422))
async def all_contents(query: Annotated[ContentsQuery, Query()], curator: Curating) -> Json:
    """Content of every bank, by ascending id."""
    return await _contents(None, query, curator)


@router.get(
    "/bank/{bank_name}/contents",
    response_model=ContentsAnswer,
    responses=errors(400, 404, 422),
)
async def bank_contents(
    bank_name: str, query: Annotated[ContentsQuery, Query()], curator: Curating
) -> Json:
    """Content of a bank, by ascending id."""
    return await _contents(bank_name, query, curator)


@router.get("/bank/{bank_name}/counts", response_model=CountsAnswer, responses=errors(404))
async def bank_counts(bank_name: str, curator: Curating) -> Json:
    """How many contents a bank has: in all, disabled, and with signals of each type; and crops."""
    counts = await curator.ask(lambda catalog: catalog.banks.count_contents(bank_name))
    return Json(
        {
            "contents": counts.contents,
            "disabled": counts.not_enabled,
            "signals": counts.by_type,
            **({"crops": counts.crops} if counts.crops else {}),
        }
    )


async def _contents(bank_name: str | None, query: ContentsQuery, curator: Curator) -> Json:
    if query.signal is not None:
        return await _near_contents(bank_name, query, curator)
    page = await curator.ask(
        lambda catalog: catalog.contents.page(
            ContentFilter(
                bank_name,
                query.label,
                query.signal_type,
                None if query.content_id is None else [query.content_id],
            ),
            after=query.after,
            limit=query.limit,
        )
    )
    return Json(
        {
            "contents": [_listed_content(content) for content in page.contents],
            "next": page.following,
        }
    )


async def _near_contents(bank_name: str | None, query: ContentsQuery, curator: Curator) -> Json:
    """What the index finds near a signal, as the catalog has it now. One page, nearest first."""
    if query.signal_type is None or query.signal is None:
        raise BadInput("signal needs a signal_type")
    if bank_name is not None:
        await curator.ask(lambda catalog: catalog.banks.get(bank_name))
    scope = Scope(threshold=None, include_metadata=False, min_snapshot=query.min_snapshot, skip=0)
    rules = scope.rules(query.signal_type, () if bank_name is None else (bank_name,))
    asked = LookupQuery(query.signal_type, (query.signal,), rules)
    lookup = await run_lookup(curator.services, curator.limits, asked)
    distances = {match.content_id: match.distance for match in lookup.matches[0]}
    page = await curator.ask(
        lambda catalog: catalog.contents.page(
            ContentFilter(bank_name, query.label, ids=list(distances)[:LARGEST_PAGE]),
            after=query.after,
            limit=LARGEST_PAGE,
        )
    )
    held = {content.id: content for content in page.contents}
    if query.content_id is not None:
        held = {id_: content for id_, content in held.items() if id_ == query.content_id}
    nearest = [
        {**_listed_content(held[content_id]), "distance": distance}
        for content_id, distance in distances.items()
        if content_id in held
    ]
    return Json(
        {"contents": nearest[: query.limit], "next": None},
        headers=snapshot_header({query.signal_type: lookup}),
    )


def _listed_content(content: Content) -> dict[str, Any]:
    return content_answer(content) | {
        "labels": list(content.labels),
        "metadata": content.metadata,
        "note": content.note,
        "signals": content.signals,
    }
