"""A lead takes decisions, labels and history out: files, manifests, and what the history says."""

from __future__ import annotations

import csv
import hashlib
import json
import tracemalloc
import uuid
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.exports.services import file_chunks
from reviewapp.annotations.fields import FIELDS, Kind
from reviewapp.annotations.models import Decision, Export
from reviewapp.audit.models import Event
from tests.decisions import decide, queue_decision
from tests.factories import (
    distinct_values,
    make_annotation,
    make_execution,
    make_export,
    make_result,
    settle_as_delivered,
)
from tests.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(alice: User, bob: User) -> list[Decision]:
    """A delivered relabel for a run, an undone decision, and one that could not tell."""
    execution = make_execution(inputs={"query": "round logo"}, execution_id="exec 1")
    result = make_result(execution.retriever, execution=execution, rank=3, score=0.25)
    item = make_annotation(
        execution.retriever,
        title="=Van",
        document_id=result.document_id,
        execution_id="exec 1",
        result=result,
    )
    change = queue_decision(item, alice, label="fake", confidence=0.9, reasoning="no badge")
    settle_as_delivered(change, version=2)
    undone = undo(decide(make_annotation(), bob, label="fake", hold=60).pk, actor=bob)
    unclear = decide(make_annotation(), bob, outcome="undecidable", reasoning="too dark")
    return [item.decisions.get(), undone, unclear]


def request_export(client: Client, **data: Any) -> Any:
    """Post the form of an export and return the response."""
    return client.post("/exports", {"kind": "decisions", "format": "csv", "filter": "", **data})


def download(client: Client, **data: Any) -> bytes:
    """Return the file of a new export."""
    response = request_export(client, **data)
    assert response.status_code == 302, response.text
    file = cast("StreamingHttpResponse", client.get(response["Location"]))
    assert file.streaming
    return b"".join(cast("Iterable[bytes]", file.streaming_content))


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"), newline="")))


def json_rows(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.decode().splitlines()]


def test_it_writes_decisions_for_a_spreadsheet(
    lena_client: Client, decided: list[Decision]
) -> None:
    first, second, third = csv_rows(download(lena_client, zone="Asia/Tokyo"))

    assert first["title"] == "'=Van"
    assert first["query"] == "round logo"
    assert (first["machine_label"], first["machine_confidence"]) == ("logo", "0.5")
    assert (first["label_before"], first["label"], first["confidence"]) == ("logo", "fake", "0.9")
    assert (first["person"], first["reasoning"]) == ("alice", "no badge")
    assert (first["state"], first["delivery"], first["mixpeek_version"]) == (
        "in_force",
        "delivered",
        "2",
    )
    assert (first["rank"], first["score"]) == ("3", "0.25")
    assert first["decided_at"].endswith("+09:00")
    assert first["permalink"] == f"http://testserver/decisions/{decided[0].pk}"
    assert second["state"] == "undone"
    assert third["outcome"] == "undecidable"


@pytest.mark.parametrize("kind", ["decisions", "labels"])
def test_it_writes_every_field(kind: str, lena_client: Client, alice: User) -> None:
    values = distinct_values(1)
    decide(make_annotation(**distinct_values(0)), alice, **values)

    [row] = csv_rows(download(lena_client, kind=kind))
    [line] = json_rows(download(lena_client, kind=kind, format="jsonl"))

    assert {name: line[name] for name in FIELDS} == values
    for name, field in FIELDS.items():
        # An object is only in the other format.
        if field.kind is not Kind.OBJECT:
            assert field.parse(row[name], field.blank) == values[name]


def test_it_marks_an_old_decision_that_repeats_the_machine(
    lena_client: Client, alice: User
) -> None:
    Decision.objects.create(
        annotation=make_annotation(confidence=0.31),
        reviewer=alice,
        outcome="decided",
        label="van",
        confidence=0.31,
        reasoning="Wheels.",
        payload={},
        base={},
        decision_id=uuid.uuid4(),
        own_words=False,
    )
    [row] = csv_rows(download(lena_client))
    [line] = json_rows(download(lena_client, format="jsonl"))
    assert row["machine_words"] == line["machine_words"] == "confidence"


def test_a_permalink_leads_to_its_decision(lena_client: Client, decided: list[Decision]) -> None:
    row, *_others = csv_rows(download(lena_client))
    page = lena_client.get(row["permalink"].removeprefix("http://testserver"))
    assert page.status_code == 200


def test_it_writes_everything_as_json_lines(lena_client: Client, decided: list[Decision]) -> None:
    first, *_others = json_rows(download(lena_client, format="jsonl", with_snapshot="on"))

    assert first["decision_id"] == str(decided[0].decision_id)
    assert first["base"]["label"] == "logo"
    assert first["proposal"]["confidence"] == 0.5
    assert first["inputs"] == {"query": "round logo"}
    assert first["snapshot"]["text"] == "A blue logo on a van."

    without = json_rows(download(lena_client, format="jsonl"))
    assert "snapshot" not in without[0]


def test_it_exports_what_a_filter_leaves(
    lena_client: Client, decided: list[Decision], bob: User
) -> None:
    rows = csv_rows(download(lena_client, filter=f"person={bob.pk}&outcome=undecidable"))
    assert [row["decision_id"] for row in rows] == [str(decided[2].decision_id)]


def test_it_writes_current_labels(lena_client: Client, decided: list[Decision]) -> None:
    rows = csv_rows(download(lena_client, kind="labels", filter="label_to=fake"))
    assert [(row["label"], row["status"], row["person"]) for row in rows] == [
        ("fake", "decided", "alice")
    ]
    assert len(csv_rows(download(lena_client, kind="labels"))) == 3


def test_it_writes_qrels(lena_client: Client, decided: list[Decision]) -> None:
    content = download(lena_client, kind="labels", format="qrels", grades="fake=2, other=1")
    document = decided[0].annotation.document_id
    assert content.decode() == f"exec_1 0 {document} 2\n"


def test_it_writes_history(lena_client: Client, decided: list[Decision], alice: User) -> None:
    content = download(
        lena_client, kind="history", format="jsonl", filter="action=annotation.relabelled"
    )
    labels = {(row["label_from"], row["label_to"]) for row in json_rows(content)}
    assert labels == {("logo", "fake")}
    page = lena_client.get("/history").text
    assert 'href="/exports?kind=history&amp;show=people"' in page


def test_it_tells_the_manifest_and_the_history(
    lena_client: Client, lena: User, decided: list[Decision]
) -> None:
    content = download(lena_client, filter="outcome=relabelled")
    export = Export.objects.get()

    manifest = lena_client.get(f"/exports/{export.pk}/manifest").json()

    assert manifest["rows"] == 2
    assert manifest["bytes"] == len(content)
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["filter"] == "outcome=relabelled"
    assert manifest["person"] == "lena"
    events = Event.objects.filter(ref=f"exports/{export.pk}").order_by("id")
    assert [(event.action, event.actor_id, event.origin) for event in events] == [
        ("export.started", lena.pk, "web"),
        ("export.finished", lena.pk, "web"),
    ]


def test_it_tells_who_reads_the_file_of_somebody_else_and_each_time(
    lena_client: Client, lena: User, adam: User, decided: list[Decision]
) -> None:
    content = download(lena_client, filter="outcome=relabelled")
    export = Export.objects.get()

    again = cast("StreamingHttpResponse", signed_in(adam).get(f"/exports/{export.pk}/file"))
    assert b"".join(cast("Iterable[bytes]", again.streaming_content)) == content

    events = Event.objects.filter(ref=f"exports/{export.pk}", action="export.finished")
    assert list(events.order_by("id").values_list("actor_id", flat=True)) == [lena.pk, adam.pk]


def test_the_history_says_what_the_file_holds(lena_client: Client, decided: list[Decision]) -> None:
    download(lena_client, format="jsonl", with_snapshot="on")
    event = Event.objects.get(action="export.started")
    assert event.changes["options"][1]["with_snapshot"] is True


def test_it_stays_unfinished_when_nobody_reads_to_the_end(
    lena_client: Client, decided: list[Decision]
) -> None:
    export = make_export()
    chunks = file_chunks(export, base_url="", actor=None)
    next(chunks)

    manifest = lena_client.get(f"/exports/{export.pk}/manifest").json()
    assert (manifest["rows"], manifest["sha256"]) == (None, None)
    assert "not downloaded to its end" in lena_client.get("/exports").text


def test_it_says_before_anything_runs_that_nothing_matches(
    lena_client: Client, decided: list[Decision]
) -> None:
    response = request_export(lena_client, filter="until=1999-01-01T00:00:00")
    assert response.status_code == 422
    assert "Nothing matches this filter" in response.text
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "everything"},
        {"format": "docx"},
        {"filter": "person=nobody"},
        {"kind": "labels", "filter": "outcome=confirmed"},
        {"format": "qrels", "grades": "fake=1"},
        {"kind": "labels", "format": "qrels"},
        {"kind": "labels", "format": "qrels", "grades": "fake"},
        {"kind": "history", "filter": "since=never"},
    ],
)
def test_it_refuses_what_makes_no_sense(
    data: dict[str, str], lena_client: Client, decided: list[Decision]
) -> None:
    response = request_export(lena_client, **data)
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert not Export.objects.exists()


def test_it_is_for_leads(alice: User, client: Client) -> None:
    export = make_export()
    for path in ("/exports", f"/exports/{export.pk}/file", f"/exports/{export.pk}/manifest"):
        assert client.get(path).status_code == 302
        assert signed_in(alice).get(path).status_code == 403
    assert request_export(signed_in(alice)).status_code == 403


def test_it_is_unknown_without_an_export(lena_client: Client) -> None:
    assert lena_client.get("/exports/999999/file").status_code == 404
    assert lena_client.get("/exports/999999/manifest").status_code == 404


def test_it_takes_the_filter_along(lena_client: Client, bob: User) -> None:
    page = lena_client.get(f"/exports?person={bob.pk}&label_to=fake").text
    assert f'value="person={bob.pk}&amp;label_to=fake"' in page
    assert '<dd dir="auto">bob</dd>' in page


def test_it_takes_no_query_for_each_row(
    alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(10):
        decide(make_annotation(), alice, label="fake")
    chunks = file_chunks(make_export(), base_url="", actor=None)
    with django_assert_max_num_queries(4):
        next(chunks)
        assert next(chunks).count(b"fake") == 10


@pytest.mark.long
def test_it_holds_no_more_memory_for_more_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_event
                (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)
            SELECT now(), 1, 'p', 'a', 'annotations/' || n, '', 'web', '', '{}', repeat('x', 500)
            FROM generate_series(1, 20000) n
            """
        )
    export = make_export(kind="history", format="jsonl", query="show=all")

    tracemalloc.start()
    size = sum(len(chunk) for chunk in file_chunks(export, base_url="", actor=None))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size > 13_000_000
    assert peak < 8_000_000


def test_the_command_writes_the_file_and_its_manifest(
    decided: list[Decision], tmp_path: Path
) -> None:
    path = tmp_path / "october.csv"
    call_command(
        "export", "decisions", str(path), filter="outcome=relabelled", url="https://x.example/"
    )

    rows = csv_rows(path.read_bytes())
    assert [row["permalink"] for row in rows] == [
        f"https://x.example/decisions/{decision.pk}" for decision in decided[:2]
    ]
    manifest = json.loads((tmp_path / "october.csv.manifest.json").read_text())
    assert manifest["rows"] == 2
    assert manifest["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    origins = Event.objects.filter(action__startswith="export.").values_list("origin", flat=True)
    assert set(origins) == {"shell"}


def test_the_command_says_why_it_wrote_nothing(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    with pytest.raises(CommandError, match="Nothing matches"):
        call_command("export", "decisions", str(path))
    with pytest.raises(CommandError, match="People"):
        call_command("export", "decisions", str(path), filter="person=nobody")
    assert not path.exists()
