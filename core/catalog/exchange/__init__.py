"""What the catalog keeps of exchanges.

| file | knows |
|---|---|
| `exchange` | an exchange, and the bank that it feeds |
| `credential` | what an API is asked with, sealed or not |
| `progress` | how far an exchange has been fetched, and who is at it |
| `record` | what it said, record by record, and what that makes of our content |
| `opinion` | what we found of its records, and whether it has heard that |
"""
