"""How gunicorn serves us: `gunicorn -c python:reviewapp.operations.gunicorn_conf
reviewapp.wsgi:application`.

SIGTERM lets requests under way finish, for at most 30 seconds. Read by gunicorn's first process
before the app is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reviewapp.env import Env, or_a_sentence

with or_a_sentence():
    from reviewapp import settings

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

_env = Env()
with or_a_sentence():
    bind = f"0.0.0.0:{_env.number('PORT', 8000, least=1, most=65535)}"
    workers = _env.number("WEB_CONCURRENCY", 2, least=1, most=64)

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_ours = ""
if not os.environ.get(_FOLDER):
    # Numbers of one server's processes, from its start to its end. prometheus_client looks here
    # when it is imported, so nothing above may import it.
    _ours = os.environ[_FOLDER] = tempfile.mkdtemp(prefix="reviewapp-metrics-")

worker_class = "reviewapp.operations.server.buffering_worker.BufferingWorker"
threads = 8
# Of each process; above it what has waited longest is closed.
worker_connections = 800
# Nobody's word is taken for where a request comes from and how: behind a proxy the settings read
# what they need.
forwarded_allow_ips = ""
forwarder_headers = ""
keepalive = 5
timeout = 60
graceful_timeout = 30
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn's heartbeats, never on a slow disk
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {
        **settings.LOGGING["loggers"],
        "gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False},
        "gunicorn.access": {"level": "CRITICAL", "handlers": ["console"], "propagate": False},
    },
}


def child_exit(server: Arbiter, worker: Worker) -> None:
    """Let go of the files of a process that ended; what it counted stays counted."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Arbiter) -> None:
    """Remove the numbers with the server, if the folder is ours."""
    if _ours:
        shutil.rmtree(_ours, ignore_errors=True)
