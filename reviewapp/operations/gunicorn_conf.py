"""Configure gunicorn. Its first process reads this file before it imports the app.

Run it with `gunicorn -c python:reviewapp.operations.gunicorn_conf reviewapp.wsgi:application`.
After a SIGTERM, requests under way get at most 30 seconds to finish.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reviewapp.env import Env, or_a_sentence
from reviewapp.operations.server.addresses import bind_address

with or_a_sentence():
    from reviewapp import settings

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

    from reviewapp.operations.server.buffering_worker import BufferingWorker

_env = Env()
with or_a_sentence():
    bind = bind_address(_env.host("HOST"), _env.number("PORT", 8000, least=1, most=65535))
    workers = _env.number("WEB_CONCURRENCY", 2, least=1, most=64)

# gunicorn would answer 500 to requests without it: probes, and those of proxies that remove it. The
# settings, which are read now, have it; `below_path.py` removes it.
os.environ.pop("SCRIPT_NAME", None)

_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_own_metrics_folder = ""
if not os.environ.get(_METRICS_FOLDER):
    # The metrics of one server's processes, from its start to its end. prometheus_client reads the
    # variable when it is imported, so nothing above may import it.
    _own_metrics_folder = tempfile.mkdtemp(prefix="reviewapp-metrics-")
    os.environ[_METRICS_FOLDER] = _own_metrics_folder

worker_class = "reviewapp.operations.server.buffering_worker.BufferingWorker"
threads = 8
# Of each process; beyond it, the connection that has waited longest is closed.
worker_connections = 800
# gunicorn trusts no forwarding header. Behind a proxy, Django's settings read what they need.
forwarded_allow_ips = ""
forwarder_headers = ""
# One import for all web processes, which share its memory.
preload_app = True
# The worker bounds the whole head (`request_parser.MOST_HEAD`), and the app answers an address that
# is too long with a page (`web.middleware.request_limits`). A page's address comes in header
# fields, too.
limit_request_line = 0
limit_request_field_size = 64 * 1024
keepalive = 5
timeout = 60
graceful_timeout = 30
control_socket_disable = True
# Heartbeats go to memory, never to a slow disk.
worker_tmp_dir = None
if Path("/dev/shm").is_dir():  # noqa: S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108
logconfig_dict = {
    **settings.LOGGING,
    "loggers": {
        **settings.LOGGING["loggers"],
        "gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False},
        "gunicorn.access": {"level": "CRITICAL", "handlers": ["console"], "propagate": False},
    },
}


def post_worker_init(worker: BufferingWorker) -> None:
    """Prepare a web process before it takes its first request."""
    from reviewapp.operations.server.warm_up import prepare_threads

    prepare_threads(worker.tpool, worker.cfg.threads)


def child_exit(server: Arbiter, worker: Worker) -> None:
    """Release the metrics files of a process that ended; its counts stay."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Arbiter) -> None:
    """Remove the folder of the metrics, if this file created it."""
    if _own_metrics_folder:
        shutil.rmtree(_own_metrics_folder, ignore_errors=True)
