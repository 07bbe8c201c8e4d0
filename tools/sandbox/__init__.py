"""A local stand-in for Mixpeek: its own process, strict where Mixpeek is strict, importing nothing
else of ours.

Start it with `python -m tools.sandbox --help`. The layers, top to bottom:

    __main__, cli              the command line app, middleware, endpoint  ASGI application:
    authentication, namespaces, one answer per call resources/                 one module per
    resource: what is stored, and the rules for changing it control, faults, dialect   what tests
    and operators switch while it runs data_folder/, store        the data folder and the SQLite
    state file rules/                     stages, templates, paging, revisions, validation; pure
    sample/                    the sample namespace
"""

from __future__ import annotations
