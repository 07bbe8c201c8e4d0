"""The servers of one size: a database, the product and the bare project on it, and a sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import psycopg

from reviewapp.postgres.cluster import Address
from tools.bench import loading
from tools.launch import ports
from tools.launch.config import ROOT, Plan, manage, python
from tools.launch.processes import Children
from tools.launch.signals import Signals

BARE = "tools.bench.baseline:application"
_HOST = "127.0.0.1"
_WEB = "reviewapp.wsgi:application"
# How many of the annotations the sandbox knows, and so how many can be delivered.
_UPSTREAM = 4_000

_UNDECIDED = """
SELECT a.annotation_id, a.document_id, a.collection_id, r.retriever_id, a.execution_id, a.upstream,
    a.created_at
FROM annotations_annotation a JOIN retrievers_retriever r ON r.id = a.retriever_id
WHERE a.status = 'waiting' AND a.version = 1
  AND NOT EXISTS (SELECT 1 FROM outbox_change c WHERE c.ref = a.ref)
ORDER BY a.id LIMIT %s
"""


class StepFailed(Exception):
    """A step of the preparation went wrong; the message holds the last words of its process."""


@dataclass(kw_only=True)
class Site:
    """One database of `count` results and its servers; addresses have no slash at the end.

    `variables` are of the environment of its processes and differ from the usual ones.
    """

    count: int
    folder: Path
    address: Address
    signals: Signals
    variables: Mapping[str, str] = field(default_factory=dict)
    children: Children = field(init=False)
    addresses: dict[str, str] = field(default_factory=dict)
    sandbox_port: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.sandbox_port = ports.choose_port(self.folder / "sandbox_port")
        self.children = Children(
            signals=self.signals,
            logs=self.folder / "log",
            env=self._environment(),
        )

    @property
    def url(self) -> str:
        """The database."""
        return self.address.url.replace("/reviewapp?", f"/bench_{self.count}?", 1)

    @property
    def sandbox(self) -> str:
        """The sandbox."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    def _plan(self) -> Plan:
        return Plan.read(
            {
                "VAR_DIR": str(self.folder),
                "DATABASE_URL": self.url,
                "SECRET_KEY": "bench-" + "k" * 44,
            }
        )

    def _environment(self) -> Mapping[str, str]:
        plan = self._plan()
        common = plan.child_variables(
            database_url=self.url,
            secret_key=plan.secret_key,
            sandbox_port=self.sandbox_port,
        )
        own = {
            "HTTPS": "off",
            "DEBUG": "off",
            "LOG_LEVEL": "WARNING",
            "API_REQUESTS_PER_MINUTE": "100000",
        }
        return {**os.environ, **common, **own, **self.variables, "PYTHONUNBUFFERED": "1"}

    def prepare(self, *, fresh: bool) -> list[str]:
        """Create and fill the database unless an earlier run did; returns the steps taken."""
        fingerprint = loading.fingerprint(self.count, ROOT / "reviewapp")
        prepared = str(self.folder / "prepared.json")
        prepare_command = python("-m", "tools.launch.prepare", prepared, "--demo")

        if not fresh and self._loaded() == fingerprint:
            self.run("prepare", prepare_command)
            return ["as an earlier run loaded it"]

        name = f"bench_{self.count}"
        with psycopg.connect(self.address.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        self.run("prepare", prepare_command)

        steps = list(loading.load(self.url, self.count))
        with psycopg.connect(self.url, autocommit=True) as connection:
            query = "CREATE TABLE bench_loaded AS SELECT %s::text AS fingerprint"
            connection.execute(query, [fingerprint])
        return steps

    def _loaded(self) -> str:
        try:
            with psycopg.connect(self.url) as connection:
                row = connection.execute("SELECT fingerprint FROM bench_loaded").fetchone()
        except psycopg.Error:
            return ""
        if row is None:
            return ""
        return str(row[0])

    def run(self, name: str, command: list[str]) -> str:
        """Run a command to its end and return its output; raises `StepFailed`."""
        if self.children.run(name, command):
            raise StepFailed(f"{name} failed:\n{self.children.log_tail(name)}")
        return self.children.log(name).read_text(errors="replace")

    def token(self) -> str:
        """Create and return an API token that may decide."""
        command = manage("create_token", "admin", "--scope", "decide", "--days", "1")
        return self.run("token", command).split()[-1]

    def start(self, name: str) -> float:
        """Start `web` or `bare` and return the seconds until its first response."""
        application = _WEB
        if name == "bare":
            application = BARE
        (listener,) = ports.listen(_HOST, 0, 0, self.signals)
        with listener:
            port = listener.getsockname()[1]
            command = self._plan().web_command([listener.fileno()])
            command[command.index(_WEB)] = application
            started = perf_counter()
            self.children.start(name, command, keep=[listener.fileno()])

        ports.await_first_response(_HOST, port, self.children.wait)
        self.addresses[name] = f"http://{_HOST}:{port}"
        return perf_counter() - started

    def start_sandbox(self) -> None:
        """Start a sandbox that knows some of the undecided annotations as this database does."""
        folder = self.folder / "sandbox"
        folder.mkdir(exist_ok=True)
        self._write_sandbox_data(folder)

        options = ["--port", str(self.sandbox_port)]
        options += ["--data", str(folder), "--namespace", "ns_sample"]
        self.children.start("sandbox", python("-m", "tools.sandbox", *options))
        ports.await_listener(self.sandbox_port, self.children.wait)

    def _write_sandbox_data(self, folder: Path) -> None:
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(_UNDECIDED, [_UPSTREAM]).fetchall()

        annotations: list[dict[str, object]] = []
        documents: list[dict[str, object]] = []
        names = ("annotation_id", "document_id", "collection_id", "retriever_id", "execution_id")
        for *ids, upstream, created_at in rows:
            named_ids = dict(zip(names, ids, strict=True))
            annotations.append({**named_ids, **upstream, "created_at": created_at.isoformat()})
            documents.append({name: named_ids[name] for name in ("document_id", "collection_id")})

        _write(folder / "annotations.jsonl", annotations)
        _write(folder / "documents.jsonl", documents)
        _write(folder / "retrievers.jsonl", [])
        _write(folder / "executions.jsonl", [])

    def stop(self) -> None:
        """Stop everything that was started for this size."""
        self.children.stop("web", "bare", "worker1", "worker2", "prepare", "token", "wake")
        self.children.stop("sandbox")


def _write(file: Path, rows: list[dict[str, object]]) -> None:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
