"""The catalog: banks, their content, and what of it awaits publication, in a SQL database.

The only package that knows SQL. What leaves it are frozen values, never rows.

| file | knows |
|---|---|
| `catalog` | the public face: one method for each thing a function asks |
| `bank`, `content` | the two nouns, what is allowed of them, and how they are written |
| `listing` | pages of content, and how much of it there is |
| `metadata`, `text` | which metadata and which text may be stored |
| `marks` | what has changed since it was last published |
| `entries` | the state of content as an index sees it |
| `lease` | who may be the one writer of something |
| `models`, `migrations`, `migrate` | the tables, and how an older database gets to them |
| `database` | connections, transactions, locks, and what their failures mean |
"""

from core.catalog.bank import Bank
from core.catalog.catalog import Catalog
from core.catalog.content import UNSET, Content
from core.catalog.listing import Counts, Page

__all__ = ["UNSET", "Bank", "Catalog", "Content", "Counts", "Page"]
