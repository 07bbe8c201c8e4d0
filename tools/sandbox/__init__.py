"""A local stand-in for Mixpeek: a process of its own, strict where Mixpeek is strict.

It imports nothing else of ours. Start it with `python -m tools.sandbox`; `--help` lists the
options. The layers, top to bottom:

    __main__, cli              the command line
    app, middleware, endpoint  ASGI application: authentication, namespaces, one answer per call
    resources/                 one module per resource: what is stored, the rules for changing it
    control, faults, dialect   what tests and operators switch while it runs
    data_folder/, store        the data folder and the SQLite state file
    rules/                     stages, templates, paging, revisions, validation; pure
    sample/                    the sample namespace
"""

from __future__ import annotations
