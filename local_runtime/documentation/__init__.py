"""The parts of the documentation that are made from the program: `make docs`.

| file | knows |
|---|---|
| `pages` | which parts of which page are made, and how one is put in its place |
| `settings_table` | every setting |
| `commands_list` | every command with its options; what `make` makes |
| `errors_table` | every error with what to do |
| `routes_table` | every route, who serves it and whom for |
| `decisions_index` | every decision with what was chosen |
| `server_variables` | what functions-framework and its servers read of the environment |
| `openapi_document` | the description of all functions together |
| `markdown` | a table in Markdown |
| `__main__` | `make docs`: every part written |
"""
