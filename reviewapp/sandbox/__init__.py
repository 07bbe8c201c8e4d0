"""A local stand-in for Mixpeek: its own process, strict where Mixpeek is strict, importing nothing else of ours.

Start it with `python -m reviewapp.sandbox --help`. The layers, top to bottom:

    __main__, options     the command line
    app, endpoint         ASGI application: authentication, namespaces, one answer per call
    routes_*              one module per resource: a call in, a JSON value out
    annotating ... events  what is kept, and the rules for changing it
    nulls                 what a null in an edit does, switchable
    audit                 the audit log, with the reason of each change
    loading, store        the data folder and the SQLite state file
    stages, templates, paging, revisions, checks, errors   pure
"""

from __future__ import annotations
