"""The routes of `curate`, by what they are about.

| file | knows |
|---|---|
| `bank_routes` | `/c/banks`, `/c/bank/<b>` |
| `content_routes` | `/c/bank/<b>/content`, `/c/bank/<b>/signal` |
| `contents` | finding content: `/c/contents`, `/c/bank/<b>/contents` |
| `exchange_routes` | `/c/exchanges`, `/c/exchange/*` |
| `opinion_routes` | `/c/bank/<b>/content/<id>/opinion` |
| `signal_type_routes` | `/c/signal_type`, `/c/content_type` |
| `curator` | the catalog as they ask it, and publishing what they changed |
| `catalog_answers` | a bank and a content as clients know them |
"""
