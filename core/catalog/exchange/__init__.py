"""What the catalog keeps of exchanges.

| file | knows |
|---|---|
| `exchange` | an exchange, and the bank that it feeds |
| `deletion` | what goes with an exchange |
| `credential` | what an API is asked with, sealed or not |
| `fetch_progress` | how far an exchange has been fetched, and who is at it |
| `fetched_record` | what an exchange says of a record, and what storing that changes |
| `record` | records that are here: storing, sweeping, listing |
| `record_writer`, `record_content` | records as rows; the content that they become |
| `record_counts` | how much of an exchange is here, and how much of that is unpublished |
| `opinion` | what we found of its records, and whether it has heard that |
"""
