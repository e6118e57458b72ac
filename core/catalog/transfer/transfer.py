"""Bulk reads and writes of a catalog, for what is transferred into it or out of it."""

from core.catalog.database import Database
from core.catalog.transfer.transferred_bank import TransferredBanks
from core.catalog.transfer.transferred_content import TransferredContents
from core.catalog.transfer.transferred_exchange import TransferredExchanges
from core.catalog.transfer.transferred_ratio import TransferredRatios


class Transfer:
    """What was, or is, transferred, by noun. Each call that writes is one transaction.

    Attributes:
        banks, exchanges, ratios: things that are known by their keys there.
        contents: content, which keeps the id it has there.
    """

    def __init__(self, database: Database) -> None:
        self.banks = TransferredBanks(database)
        self.exchanges = TransferredExchanges(database)
        self.ratios = TransferredRatios(database)
        self.contents = TransferredContents(database)
