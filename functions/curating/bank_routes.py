"""Banks: `/c/banks`, `/c/bank/<b>`. A part of the curate function."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from core.curation.bank_signals import check_thresholds
from functions.curating.catalog_answers import BankAnswer, DoneAnswer, bank_answer
from functions.curating.curator import Curating, Curator
from functions.web.answer import Json
from functions.web.body import ShareInput, TruthInput, body_of, model_body
from functions.web.errors import errors

router = APIRouter(prefix="/c", tags=["Banks"])

NAME: dict[str, Any] = {"pattern": "^[A-Z_][A-Z0-9_]*$", "maxLength": 255}


class BankCreateRequest(BaseModel):
    name: str = Field(
        description="UPPER_WITH_UNDERSCORE, at most 255 characters.", json_schema_extra=NAME
    )
    enabled_ratio: ShareInput | None = Field(None, description="Share of lookups it takes part in.")
    enabled: TruthInput | None = Field(None, description="True is a ratio of 1, false of 0.")
    allow_list: TruthInput | None = Field(
        None, description="What matches here is harmless: no other bank matches it then."
    )
    thresholds: dict[str, int] | None = Field(
        None, description="By signal type the largest distance that matches, if not the type's."
    )

    crops: TruthInput | None = Field(
        None, description="Also match the crops that people make of the pictures banked from now."
    )

    @property
    def ratio(self) -> float | None:
        if self.enabled_ratio is None and self.enabled is not None:
            return 1.0 if self.enabled else 0.0
        return self.enabled_ratio


class BankUpdateRequest(BankCreateRequest):
    name: str | None = Field(None, description="The new name.", json_schema_extra=NAME)  # type: ignore[assignment]


@router.get("/banks", response_model=list[BankAnswer], responses=errors())
async def list_banks(curator: Curating) -> Json:
    """All banks."""
    return Json(
        [bank_answer(bank) for bank in await curator.ask(lambda catalog: catalog.banks.every())]
    )


@router.post(
    "/banks",
    status_code=201,
    response_model=BankAnswer,
    responses=errors(400, 403, 413, 422),
    openapi_extra=model_body(BankCreateRequest),
)
async def create_bank(
    body: Annotated[BankCreateRequest, Depends(body_of(BankCreateRequest))], curator: Curating
) -> Json:
    """A new, empty bank."""
    thresholds = _thresholds(curator, body)
    bank = await curator.ask(
        lambda catalog: catalog.banks.create(
            name=body.name,
            enabled_ratio=1.0 if body.ratio is None else body.ratio,
            allow_list=bool(body.allow_list),
            crops=bool(body.crops),
            thresholds=thresholds,
        )
    )
    return Json(bank_answer(bank), 201)


@router.get("/bank/{bank_name}", response_model=BankAnswer, responses=errors(404))
async def show_bank(bank_name: str, curator: Curating) -> Json:
    """A bank."""
    return Json(bank_answer(await curator.ask(lambda catalog: catalog.banks.get(bank_name))))


@router.put(
    "/bank/{bank_name}",
    response_model=BankAnswer,
    responses=errors(400, 403, 404, 413, 422),
    openapi_extra=model_body(BankUpdateRequest),
)
async def update_bank(
    bank_name: str,
    body: Annotated[BankUpdateRequest, Depends(body_of(BankUpdateRequest))],
    curator: Curating,
) -> Json:
    """Rename a bank, or change the share of lookups it takes part in."""
    thresholds = _thresholds(curator, body)
    bank = await curator.ask(
        lambda catalog: catalog.banks.update(
            bank_name,
            new_name=body.name,
            enabled_ratio=body.ratio,
            allow_list=body.allow_list,
            crops=body.crops,
            thresholds=thresholds,
        )
    )
    return Json(bank_answer(bank), headers=await curator.publish())


@router.delete("/bank/{bank_name}", response_model=DoneAnswer, responses=errors(400, 404))
async def delete_bank(bank_name: str, curator: Curating) -> Json:
    """Delete a bank with all its content, if it is there."""
    await curator.ask(lambda catalog: catalog.banks.delete(bank_name))
    return Json({"message": "Done"}, headers=await curator.publish())


def _thresholds(curator: Curator, body: BankCreateRequest) -> dict[str, int] | None:
    if body.thresholds is not None:
        check_thresholds(curator.services.signal_types, body.thresholds)
    return body.thresholds
