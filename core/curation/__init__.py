"""What curators do: banking signals, switching signal types off and on.

| file | knows |
|---|---|
| `bank_signals` | what a client calls signals, as content of a bank |
| `type_switch` | signal types that are switched off at run time |
| `index_comparison` | how far the index of a signal type is behind the catalog |
"""
