"""The command line of the sandbox."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.sandbox.data_folder.import_data import DEFAULT_NAMESPACE
from tools.sandbox.dialect import CURRENT, DIALECTS
from tools.sandbox.resources.nulls import CLEAR, MODES

_ABOUT = "A local Mixpeek: the API of a review application, over a folder of files."
_MORE = """\
DIR holds retrievers.jsonl, documents.jsonl, annotations.jsonl (each line the object as Mixpeek returns it), if you
like executions.jsonl, and media/. It is read line by line; a line that is wrong is named with its file and number,
and nothing is loaded. Rows that carry no namespace_id get --namespace.

FILE keeps the state: every answered write is in it, also after a kill. On a later start, rows whose ids FILE does
not know yet are added from DIR; rows it knows stay as they are in FILE, deleted ones stay deleted. To start afresh,
delete FILE.

POST /_sandbox/faults scripts the next answers, GET /_sandbox/requests shows what was received,
PUT /_sandbox/null {"mode": "ignore"} switches --null (DELETE switches it back).
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the sandbox was started with."""

    host: str
    port: int
    data: Path | None
    state: Path | None
    # None for the one that the data names.
    namespace: str | None
    key: str | None
    dialect: str
    null: str
    media_lifetime: int


def parse(arguments: Sequence[str] | None) -> Options:
    """Return the options; argparse ends the process with status 2 when they are wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.sandbox",
        description=_ABOUT,
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add(
        "--port",
        type=_port,
        default=8900,
        help="port to listen on, 0 for any free one (%(default)s)",
    )
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="data folder (the sample namespace, made on the fly)",
    )
    add(
        "--state",
        type=Path,
        metavar="FILE",
        help="state file (memory: forgotten when the process ends)",
    )
    add(
        "--namespace",
        type=_name,
        metavar="NS",
        help=f"namespace of rows without (the one that most rows carry, else {DEFAULT_NAMESPACE})",
    )
    add("--key", metavar="KEY", type=_name, help="the one good API key (any that starts with sk_)")
    add("--dialect", choices=DIALECTS, default=CURRENT, help="API version to speak (%(default)s)")
    help_null = "what a null in an edit of an annotation does to confidence, reasoning, payload, metadata (%(default)s)"
    add("--null", choices=MODES, default=CLEAR, help=help_null)
    help_lifetime = "how long media links work (%(default)s)"
    add("--media-lifetime", type=_seconds, default=3600, metavar="SECONDS", help=help_lifetime)
    return Options(**vars(parser.parse_args(arguments)))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; take a number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return int(text)


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text.strip()
