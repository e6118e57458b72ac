"""Lists of signals that others keep, fetched into banks of ours, and our opinions of them.

| file | knows |
|---|---|
| `registry` | which exchange APIs there are, and what each is configured with |
| `schema` | what an API asks for, as whoever draws a form needs to know it |
| `credentials` | what an API is asked with, sealed at rest and kept out of all that is said |
| `client` | an API ready to be asked, whose errors come out without credentials |
| `convert` | from what an API says of a record to what the catalog stores |
| `poison` | a record that nobody can use |
| `dataclass_json` | threatexchange's dataclasses as JSON |
| `held_exchange` | an exchange while one fetch has it: its records and its progress |
| `fetch_run` | one fetch of one exchange: delta after delta, each tried again if it fails |
| `fetch_report` | what a fetch did |
| `fetch` | which exchanges are due; one fetched, and what changed published |
| `opinion` | opinions told to exchanges that want to hear them |
| `apis/` | one exchange API a file, and how all of them ask over HTTP |
"""
