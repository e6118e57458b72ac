"""What schedules and workers run.

| file | knows |
|---|---|
| `worker` | a task of a rebuild, in a process that knows only the settings |
"""
