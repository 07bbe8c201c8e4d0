"""Caches of a process are bounded in bytes, whatever others send."""

from __future__ import annotations

import ast
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from reviewapp.annotations.queue.row import QueueRow
from reviewapp.audit.actions import Origin
from reviewapp.audit.presenters.timeline import Entry
from reviewapp.bounded_cache import MIB
from reviewapp.retrievers.guidance.markdown import render_markdown
from reviewapp.web.jinja import event_row, queue_row
from tests.rules.sources import PACKAGE

# Remembered without a bound in bytes: one value, or one for each model, static file or migration of
# this code.
CONSTANT = {
    "api/openapi/document.py: openapi_document",
    "operations/storage.py: lru_cache",
    "operations/health_checks.py: _migrations_on_disk",
    "postgres/jsonb.py: _columns",
}
UNBOUNDED = {"lru_cache", "cache", "LocMemCache"}


def name_of(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")


def unbounded(tree: ast.Module) -> Iterator[str]:
    """Yield each function cached by count or without limit, and each other such cache."""
    decorators = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            decorators.add(decorator)
            if name_of(decorator) in UNBOUNDED:
                yield node.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node not in decorators and name_of(node) in UNBOUNDED:
            yield name_of(node)


def test_it_bounds_every_cache_of_the_product_in_bytes() -> None:
    caches = set()
    for path in PACKAGE.rglob("*.py"):
        for name in unbounded(ast.parse(path.read_text())):
            caches.add(f"{path.relative_to(PACKAGE)}: {name}")
    assert caches == CONSTANT


def used_by(work: Iterator[object]) -> int:
    tracemalloc.start()
    for _ in work:
        pass
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used


def test_it_holds_little_of_many_large_guidelines() -> None:
    texts = (f"# {number}\n\n{'word ' * 40_000}" for number in range(100))
    assert used_by(render_markdown(text) for text in texts) < 8 * MIB


def test_it_holds_little_of_many_long_lines_of_the_queue() -> None:
    plain: dict[str, Any] = {
        "title": "t",
        "excerpt": "e",
        "document_id": "d",
        "retriever": "r",
        "score": 0.5,
        "was": "",
        "label": "l",
    }
    plain |= {"confidence": 0.5, "status": "waiting", "delivery": "", "open_by": "", "reviewer": ""}
    lines = (
        QueueRow(pk=number, here="x" * 60_000, decided_at=None, created_at=None, **plain)
        for number in range(500)
    )
    assert used_by(queue_row(each) for each in lines) < 24 * MIB


def test_it_holds_little_of_many_long_rows_of_the_history() -> None:
    plain: dict[str, Any] = {
        "at": datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
        "who": "ada",
        "actor_id": 1,
        "actions": ("annotation.relabelled",),
        "sentence": "relabelled it",
        "retriever_id": "",
        "origin": Origin.WEB,
        "request_id": "",
        "diffs": (),
    }
    entries = (
        Entry(ref=f"annotations/ann_{number}", note="x" * 60_000, **plain) for number in range(500)
    )
    assert used_by(event_row(each, "", "", None, False) for each in entries) < 24 * MIB
