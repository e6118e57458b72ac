"""The routes of `curate`, by what they are about.

| file | routes |
|---|---|
| `contents` | finding content: `/c/contents`, `/c/bank/<b>/contents` |
| `exchanges` | `/c/exchanges`, `/c/exchange/*` |
| `opinions` | `/c/bank/<b>/content/<id>/opinion` |
| `signal_types` | `/c/signal_type`, `/c/content_type` |
| `curator` | what they have in common |
"""
