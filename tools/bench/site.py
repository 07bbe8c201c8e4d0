"""One size: its database, the product's web server and the bare one on it, and a sandbox that holds what it needs."""

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
_WEB = "reviewapp.wsgi:application"
# How many of the annotations the sandbox knows, and so how many can be delivered.
_UPSTREAM = 4_000

_UNDECIDED = """
SELECT a.annotation_id, a.document_id, a.collection_id, r.retriever_id, a.execution_id, a.upstream, a.created_at
FROM annotations_annotation a JOIN retrievers_retriever r ON r.id = a.retriever_id
WHERE a.status = 'waiting' AND a.version = 1
  AND NOT EXISTS (SELECT 1 FROM outbox_change c WHERE c.ref = a.ref)
ORDER BY a.id LIMIT %s
"""


class Failed(Exception):
    """A step of the preparation went wrong; the message holds the last words of its process."""


@dataclass(kw_only=True)
class Site:
    """One database of `count` results and what is served from it; addresses are without a slash at the end.

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
        self.sandbox_port = ports.remembered(self.folder / "sandbox_port")
        self.children = Children(signals=self.signals, logs=self.folder / "log", env=self._environment())

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
        seen = plan.children_see(database_url=self.url, secret_key=plan.secret_key, sandbox_port=self.sandbox_port)
        ours = {
            "HTTPS": "off",
            "DEBUG": "off",
            "LOG_LEVEL": "WARNING",
            "API_REQUESTS_PER_MINUTE": "100000",
        }
        return {**os.environ, **seen, **ours, **self.variables, "PYTHONUNBUFFERED": "1"}

    def prepare(self, *, fresh: bool) -> list[str]:
        """Make and fill the database, unless an earlier run did so in the same way; returns what was done."""
        wanted = loading.fingerprint(self.count, ROOT / "reviewapp")
        if not fresh and self._loaded() == wanted:
            self.run(
                "prepare",
                python("-m", "tools.launch.prepare", str(self.folder / "prepared.json"), "--demo"),
            )
            return ["as an earlier run loaded it"]
        name = f"bench_{self.count}"
        with psycopg.connect(self.address.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        self.run(
            "prepare",
            python("-m", "tools.launch.prepare", str(self.folder / "prepared.json"), "--demo"),
        )
        done = list(loading.load(self.url, self.count))
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE bench_loaded AS SELECT %s::text AS fingerprint", [wanted])
        return done

    def _loaded(self) -> str:
        try:
            with psycopg.connect(self.url) as connection:
                found = connection.execute("SELECT fingerprint FROM bench_loaded").fetchone()
        except psycopg.Error:
            return ""
        return str(found[0]) if found else ""

    def run(self, name: str, command: list[str]) -> str:
        """Run a command to its end and return what it said; raises `Failed`."""
        if self.children.run(name, command):
            raise Failed(f"{name} failed:\n{self.children.last_words(name)}")
        return self.children.log(name).read_text(errors="replace")

    def token(self) -> str:
        """Make and return an API token that may decide."""
        said = self.run("token", manage("create_token", "admin", "--scope", "decide", "--days", "1"))
        return said.split()[-1]

    def start(self, name: str) -> float:
        """Start `web` or `bare` and return the seconds until its first answer."""
        with ports.listen(0, 0, self.signals) as listener:
            port = listener.getsockname()[1]
            command = self._plan().web_command(listener.fileno())
            command[command.index(_WEB)] = BARE if name == "bare" else _WEB
            started = perf_counter()
            self.children.start(name, command, keep=[listener.fileno()])
        ports.await_answer(port, self.children.wait)
        self.addresses[name] = f"http://127.0.0.1:{port}"
        return perf_counter() - started

    def start_sandbox(self) -> None:
        """Start a sandbox that knows some of the undecided annotations as this database does."""
        data = self.folder / "sandbox"
        data.mkdir(exist_ok=True)
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(_UNDECIDED, [_UPSTREAM]).fetchall()
        names = ("annotation_id", "document_id", "collection_id", "retriever_id", "execution_id")
        annotations = [
            {**dict(zip(names, row[:5], strict=True)), **row[5], "created_at": row[6].isoformat()} for row in rows
        ]
        _write(data / "annotations.jsonl", annotations)
        _write(
            data / "documents.jsonl",
            [{name: row[name] for name in names[1:3]} for row in annotations],
        )
        for name in ("retrievers.jsonl", "executions.jsonl"):
            _write(data / name, [])
        words = ["--port", str(self.sandbox_port), "--data", str(data), "--namespace", "ns_sample"]
        self.children.start("sandbox", python("-m", "tools.sandbox", *words))
        ports.await_listener(self.sandbox_port, self.children.wait)

    def stop(self) -> None:
        """Stop everything that was started for this size."""
        self.children.stop("web", "bare", "worker1", "worker2", "prepare", "token", "wake")
        self.children.stop("sandbox")


def _write(file: Path, rows: list[dict[str, object]]) -> None:
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
