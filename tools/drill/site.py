"""A deployment of real processes: two web servers, three workers, a sandbox, a PostgreSQL."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tools.bench.memory import children
from tools.bench.site import StepFailed
from tools.drill.database import Database
from tools.drill.plan import HOLD, LABELS
from tools.launch import ports
from tools.launch.config import SANDBOX_NAMESPACE, Plan, manage, python
from tools.launch.processes import Children
from tools.launch.signals import Signals

WEBS = ("web1", "web2")
WORKERS = ("worker1", "worker2", "worker3")
# In seconds: enough for a response on a busy machine, and less than the delays among the faults.
TIMEOUT = 2
PASSWORD = "reviewer-demo"  # noqa: S105 - the demo person's, which is public
_RETRIEVER = "ret_drill"

_PEOPLE = """
WITH made AS (
    INSERT INTO accounts_user SELECT (jsonb_populate_record(demo, jsonb_build_object(
        'id', nextval(pg_get_serial_sequence('accounts_user', 'id')),
        'username', name, 'username_key', name, 'pseudonym', 'pseudonym_of_' || name,
        'email', name || '@example.com', 'email_key', name || '@example.com'
    ))).*
    FROM accounts_user demo, unnest(%(names)s::text[]) name
    WHERE demo.username = 'reviewer'
    RETURNING id
)
INSERT INTO accounts_user_groups (user_id, group_id)
SELECT made.id, held.group_id FROM made, accounts_user_groups held
JOIN accounts_user demo ON demo.id = held.user_id WHERE demo.username = 'reviewer'
"""


@dataclass(kw_only=True)
class Site:
    """The processes of one drill in `folder`, which must be new."""

    folder: Path
    signals: Signals
    database: Database = field(init=False)
    children: Children = field(init=False)
    ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("tmp", "sandbox"):
            (self.folder / name).mkdir(parents=True)
        self.database = Database(self.folder / "postgres")
        for name in (*WEBS, "sandbox"):
            self.ports[name] = ports.choose_port(self.folder / f"{name}.port")
        self.children = Children(
            signals=self.signals,
            logs=self.folder / "log",
            env=self._environment(),
        )

    @property
    def sandbox(self) -> str:
        """The sandbox's address."""
        return f"http://127.0.0.1:{self.ports['sandbox']}"

    @property
    def webs(self) -> list[str]:
        """The web servers' addresses."""
        return [f"http://127.0.0.1:{self.ports[name]}" for name in WEBS]

    def _plan(self) -> Plan:
        data = str(self.folder / "sandbox")
        return Plan.read(
            {"VAR_DIR": str(self.folder), "SECRET_KEY": "drill-" + "k" * 44, "SANDBOX_DATA": data},
        )

    def _environment(self) -> Mapping[str, str]:
        plan = self._plan()
        common = plan.child_variables(
            database_url=self.database.url,
            secret_key=plan.secret_key,
            sandbox_port=self.ports["sandbox"],
        )
        own = {
            "HTTPS": "off",
            "DEBUG": "off",
            "LOG_LEVEL": "WARNING",
            "WEB_CONCURRENCY": "1",
            "PULL_MINUTES": "2",
            "FEED_SECONDS": "20",
            "MIXPEEK_REQUESTS_PER_MINUTE": "60000",
            "MIXPEEK_TIMEOUT": str(TIMEOUT),
            "MIXPEEK_WHO": "metadata",
            "TMPDIR": str(self.folder / "tmp"),
            "UNDO_SECONDS": str(HOLD),
        }
        return {**os.environ, **common, **own, "PYTHONUNBUFFERED": "1"}

    def prepare(self, *, items: int, people: list[str]) -> None:
        """Create the database, the people and that many annotations upstream, and pull them."""
        _write_sandbox_data(self.folder / "sandbox", items)
        self.database.start()
        prepared = str(self.folder / "prepared.json")
        self.run("prepare", python("-m", "tools.launch.prepare", prepared, "--demo"))
        with psycopg.connect(self.database.url) as connection:
            connection.execute(_PEOPLE, {"names": people})
        self.start("sandbox")
        ports.await_listener(self.ports["sandbox"], self.signals.wait)
        self.run("pull", manage("pull"))

    def run(self, name: str, command: list[str]) -> None:
        """Run a command to its end; raises `StepFailed`."""
        if self.children.run(name, command):
            raise StepFailed(f"{name} failed:\n{self.children.log_tail(name)}")

    def start(self, name: str) -> None:
        """Start one process, or the database."""
        if name == "database":
            self.database.start()
        elif name == "sandbox":
            self.children.start(name, self._plan().sandbox_command(self.ports[name]))
        elif name in WEBS:
            command = self._plan().web_command([0])
            # It opens the port itself: while it is down, clients are refused at once. Behind a
            # socket of this process they would only wait.
            command[command.index("fd://0")] = f"127.0.0.1:{self.ports[name]}"
            self.children.start(name, command)
        else:
            self.children.start(name, manage("work"))

    def start_all(self) -> None:
        """Start the web servers and the workers, and wait until the web servers listen."""
        for name in (*WEBS, *WORKERS):
            self.start(name)
        for name in WEBS:
            ports.await_listener(self.ports[name], self.children.wait)

    def serving(self, web: str) -> list[int]:
        """Return the ids of the processes of a web server that serve requests."""
        return children(self.children.pid(web))

    def items(self) -> list[tuple[int, str]]:
        """Return (primary key, annotation id) of each annotation, in the order of the ids."""
        with psycopg.connect(self.database.url) as connection:
            rows = connection.execute(
                "SELECT id, annotation_id FROM annotations_annotation ORDER BY annotation_id",
            )
            return [(int(pk), str(annotation_id)) for pk, annotation_id in rows.fetchall()]

    def stop(self) -> None:
        """Stop everything."""
        self.children.stop("abuser", "crowd", *WEBS, *WORKERS, "prepare", "pull")
        self.children.stop("sandbox")
        self.database.leave()


def _write_sandbox_data(folder: Path, items: int) -> None:
    parameters = {"query": "{{INPUT.query}}"}
    stage = {"stage_name": "search", "stage_type": "filter", "parameters": parameters}
    retriever = {
        "retriever_id": _RETRIEVER,
        "retriever_name": "drill",
        "namespace_id": SANDBOX_NAMESPACE,
        "collection_identifiers": ["col_drill"],
        "stages": [{**stage, "config": {"stage_id": "feature_search", "parameters": parameters}}],
        "input_schema": {"query": {"type": "string", "required": True}},
    }
    documents: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in range(items):
        name = f"{number:06}"
        place = {"document_id": f"doc_{name}", "collection_id": "col_drill"}
        documents.append({**place, "title": f"Van {name}"})
        annotation = {
            "annotation_id": f"ann_{name}",
            **place,
            "retriever_id": _RETRIEVER,
            "label": LABELS[number % len(LABELS)],
            "confidence": number % 97 / 100,
            "reasoning": "The machine thought so.",
        }
        annotations.append(annotation)

    tables: dict[str, list[dict[str, Any]]] = {
        "retrievers": [retriever],
        "documents": documents,
        "annotations": annotations,
        "executions": [],
    }
    for table, rows in tables.items():
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (folder / f"{table}.jsonl").write_text(lines)
