"""What one deployment is told, and the values that its environment can name.

| file | knows |
|---|---|
| `settings` | every setting: from the environment, cast, checked, once |
| `shard` | which share of the index a process holds |
| `variant` | what a picture may also be looked up as |
"""

from core.settings.settings import PREFIX, Settings

__all__ = ["PREFIX", "Settings"]
