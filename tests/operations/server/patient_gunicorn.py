"""gunicorn as in production, but it waits five minutes for a request to arrive whole.

A test about what others get meanwhile must not depend on how fast the machine is.
"""

from __future__ import annotations

from gunicorn.app.wsgiapp import run

PATIENCE = 300.0


def main() -> None:
    """Run gunicorn with the arguments of the command line."""
    from reviewapp.operations.server import buffering_worker

    buffering_worker.HEAD_SECONDS = PATIENCE
    buffering_worker.BODY_SECONDS = PATIENCE
    run()


if __name__ == "__main__":
    main()
