"""HMA's development routes, `/dev/*`: fill an empty server, and empty it again.

Mounted by `hma serve --development` alone, and never by a function: whoever reaches them can
delete everything.
"""

import random
import time
from typing import Any

from fastapi import APIRouter, Request
from threatexchange.signal_type.signal_base import CanGenerateRandomSignal

from core.curation.bank_signals import bank_signals
from core.errors import BadInput, Forbidden
from core.services import Services
from functions.fetch import fetch_answer
from functions.web.answer import Json
from functions.web.body import read_object
from functions.web.dependencies import AppLimits, AppServices, in_thread

SAMPLE = "SAMPLE_EXCHANGE"
SEEDED = {"SEED_BANK_0": 100, "SEED_BANK_1": 100}
"""Contents that each of the seeded banks gets."""

router = APIRouter(prefix="/dev", tags=["Development"], include_in_schema=False)


@router.post("/setup_sample_example")
async def setup_sample_example(services: AppServices, limits: AppLimits) -> Json:
    """The exchange of threatexchange's own examples, and what it has."""
    return Json(await in_thread(limits.fetching, _exchange, services, SAMPLE, "sample", {}))


@router.post("/setup_tx_example")
async def setup_tx_example(request: Request, services: AppServices, limits: AppLimits) -> Json:
    """A ThreatExchange privacy group; its token is set at `/c/exchanges/api/fb_threatexchange`."""
    group = (await read_object(request)).get("privacy_group")
    if not isinstance(group, int):
        raise BadInput('Send {"privacy_group": number}')
    config = {"privacy_group": group}
    name = f"TX_{group}"
    return Json(
        await in_thread(limits.fetching, _exchange, services, name, "fb_threatexchange", config)
    )


@router.post("/seed_banks")
async def seed_banks(services: AppServices, limits: AppLimits) -> Json:
    """Two banks of random signals."""
    return Json(await in_thread(limits.catalog, _seed, services))


@router.post("/run_fetch")
async def run_fetch(services: AppServices, limits: AppLimits) -> Json:
    """Fetch every exchange that is due, now."""
    return Json(await in_thread(limits.fetching, fetch_answer, services))


@router.post("/factory_reset")
async def factory_reset(services: AppServices, limits: AppLimits) -> Json:
    """Delete every exchange and every bank."""
    return Json(await in_thread(limits.catalog, _reset, services))


def _exchange(services: Services, name: str, api: str, config: dict[str, Any]) -> dict[str, Any]:
    config = services.exchange_apis.complete_config(api, name, config)
    services.catalog.exchanges.create(name, api, config)
    deadline = time.monotonic() + services.settings.fetch_seconds
    report = services.fetcher.fetch(name, deadline)
    return {"message": "Done", "fetched": report.fetched, "error": report.error}


def _seed(services: Services) -> dict[str, Any]:
    kinds = {
        name: kind
        for name, kind in services.signal_types.signal_types.items()
        if issubclass(kind, CanGenerateRandomSignal)
    }
    taken = {bank.name for bank in services.catalog.banks.every()} & SEEDED.keys()
    if taken:
        raise Forbidden(f"Bank already exists: {', '.join(sorted(taken))}")
    for bank, contents in SEEDED.items():
        services.catalog.banks.create(bank, 1.0)
        for _ in range(contents):
            name, kind = random.choice(list(kinds.items()))
            signals = {name: kind.get_random_signal()}
            bank_signals(services.signal_types, services.catalog, bank, signals)
    services.publisher.publish_all()
    return {"message": "Done", "banks": SEEDED}


def _reset(services: Services) -> dict[str, Any]:
    for exchange in services.catalog.exchanges.every():
        services.catalog.exchanges.delete(exchange.name)
    for bank in services.catalog.banks.every():
        services.catalog.banks.delete(bank.name)
    services.publisher.publish_all()
    return {"message": "Done"}
