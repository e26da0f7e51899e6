"""Start-up and checking: what `make run`, `make test` and `make check` do on a person's machine.

`prepare`, `console`, `stamps`, `node` and `browser` run before anything is installed: standard library
only, and readable by Python 3.8, so that an old interpreter gets a sentence and not a syntax error.
"""
