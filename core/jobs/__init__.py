"""What schedules and workers run. Each is made from the services of a deployment.

| file | knows |
|---|---|
| `job` | what a schedule asks of every job |
| `publish` | every index brought up to the catalog |
| `fetch` | the exchanges that are due, fetched |
| `opinions` | the opinions that exchanges are due to be told |
| `worker` | a task of a rebuild, in a process that knows only the settings |
"""
