"""`python -m tools.sandbox`: load the data, listen, say where, serve."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tools.sandbox.app import build
from tools.sandbox.cli import Options, parse
from tools.sandbox.data_folder.import_data import load
from tools.sandbox.dialect import Dialect
from tools.sandbox.endpoint import World
from tools.sandbox.errors import BadData
from tools.sandbox.resources.media import Library
from tools.sandbox.resources.nulls import NullPolicy
from tools.sandbox.resources.webhook_delivery import Courier
from tools.sandbox.sample import MEDIA, write_sample
from tools.sandbox.server import listen, serve
from tools.sandbox.store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox until it is stopped; return the exit status, 2 when it could not start."""
    options = parse(arguments)
    for ending in (signal.SIGTERM, signal.SIGINT):
        # The server finishes its answers first and then hands the signal on to this.
        signal.signal(ending, _leave)
    try:
        _run(options)
    except BadData as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _leave(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


def _run(options: Options) -> None:
    listener = listen(options.host, options.port)
    with ExitStack() as stack:
        stack.callback(listener.close)
        store = Store(options.state)
        stack.callback(store.close)
        media = _load(store, options)
        library = Library(
            folder=media,
            secret=store.recall("secret") or "",
            lifetime=options.media_lifetime,
        )
        world = World(
            store=store,
            dialect=Dialect(options.dialect),
            library=library,
            key=options.key,
            courier=Courier(store),
            nulls=NullPolicy(options.null),
        )
        host = options.host
        if ":" in host:
            host = f"[{host}]"
        port = listener.getsockname()[1]
        _say(f"Sandbox is ready at http://{host}:{port}")
        serve(build(world), listener)


def _load(store: Store, options: Options) -> Path:
    if options.data:
        _report(load(store, options.data, options.namespace or ""))
        return options.data / "media"
    with tempfile.TemporaryDirectory(prefix="sandbox-sample-") as folder:
        write_sample(Path(folder), with_media=False)
        _report(load(store, Path(folder), options.namespace or ""))
    return MEDIA


def _report(added: dict[str, int]) -> None:
    counts = [f"{count} {name.removesuffix('.jsonl')}" for name, count in added.items()]
    _say(f"Loaded {', '.join(counts)} anew.")


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
