"""The catalog: banks, their content, and what of it awaits publication, in a SQL database.

The only package that knows SQL. What leaves it are frozen values, never rows. Each noun is a
class in the file of its name, whose methods are one transaction each; functions beside it that
take a session are for the transactions of other nouns.

| file | knows |
|---|---|
| `catalog` | all nouns of one database together, and who acts in it |
| `bank`, `bank_counts` | banks, what is allowed of them; how much content they have |
| `content` | the things banked |
| `signal_type` | types that take part in another share of lookups than all |
| `exchange` | lists that others keep: what was fetched, how far, what we think of it |
| `transfer` | what is moved in and out in bulk, and how it is told from what was made here |
| `marks` | what has changed since it was last published |
| `entries` | the state of content as an index sees it |
| `lease` | who may be the one writer of something |
| `index_source` | the four before this and the banks, as publishers ask for them |
| `text` | which text may be stored |
| `models`, `migrations`, `migrate` | the tables, and how an older database gets to them |
| `database` | connections, transactions, locks, who acts, and what failures mean |
"""

from core.catalog.bank import Bank
from core.catalog.bank_counts import BankCounts
from core.catalog.catalog import Catalog
from core.catalog.content.content import Content, ContentPage
from core.catalog.content.fields import UNSET
from core.catalog.content.filter import ContentFilter

__all__ = ["UNSET", "Bank", "BankCounts", "Catalog", "Content", "ContentFilter", "ContentPage"]
"""What most who use the catalog name; the rest is imported from the file of its noun."""
