"""A bad record from upstream is left out, and all others are mirrored."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror.absorb import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.records import AnnotationRecord, LeftOut
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Execution, MissingDocument, Result, Retriever
from reviewapp.sync.deliver import drain
from reviewapp.sync.executions import run
from reviewapp.sync.listen import feed, hints
from reviewapp.sync.models import Hint, PullPass, Quiet
from reviewapp.sync.pull import annotations as pull_annotations
from reviewapp.sync.pull.counts import Counts
from reviewapp.sync.pull.progress_output import Log
from reviewapp.sync.pull.run import Summary, pull
from tests.decisions import decide_by_form
from tests.factories import make_annotation
from tests.mixpeek.samples import ANNOTATION, RETRIEVER
from tests.mixpeek.server import Answer, FakeMixpeek, Received

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
Json = dict[str, Any]


class Upstream:
    """Serve lists of raw rows page by page; a row of bytes makes its page unreadable."""

    def __init__(self) -> None:
        self.retrievers: list[Any] = [RETRIEVER]
        self.executions: list[Any] = []
        self.annotations: list[Any] = []
        self.documents: dict[str, Any] = {}
        self.override: Callable[[Received], Answer] | None = None

    def answer(self, request: Received) -> Answer:
        """Answer as a test says, else as Mixpeek does."""
        return self.override(request) if self.override else self.usual(request)

    def usual(self, request: Received) -> Answer:
        """Answer as Mixpeek does."""
        parts = urlsplit(request.target)
        query = {}
        for name, values in parse_qs(parts.query).items():
            if values[0].isdigit():
                query[name] = int(values[0])

        if parts.path == "/v1/annotations/list":
            return page(self.annotations, query["skip"], query["limit"])
        if parts.path == "/v1/retrievers/list":
            return page(self.retrievers, query.get("offset", 0), query["limit"])
        if parts.path.endswith("/executions/list"):
            return page(self.executions, query.get("offset", 0), query["limit"])
        if parts.path == "/v1/documents/batch-get":
            ids = request.body["document_ids"]
            documents = [self.documents[id_] for id_ in ids if id_ in self.documents]
            return rows("documents", documents)
        kind, _, name = parts.path.removeprefix("/v1/").partition("/")
        return self._one(getattr(self, kind), name)

    def _one(self, listed: list[Any], name: str) -> Answer:
        for row in listed:
            if isinstance(row, dict) and name in {
                row.get("annotation_id"),
                row.get("retriever_id"),
            }:
                return Answer(body=row)
            if isinstance(row, bytes) and name.encode() in row:
                return Answer(body=row)
        return Answer(status=404, body={"detail": "not found"})


def page(listed: list[Any], skip: int, limit: int) -> Answer:
    """Return a page of a list with its total."""
    return rows("results", listed[skip : skip + limit], total_count=len(listed), total=len(listed))


def rows(key: str, listed: list[Any], **more: Any) -> Answer:
    """Return an answer with these rows, raw bytes as they are."""
    texts = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in listed]
    rest = json.dumps({"pagination": {}, **more}).encode()[1:]
    return Answer(body=b'{"' + key.encode() + b'": [' + b",".join(texts) + b"], " + rest)


def annotation(number: int, **values: Any) -> Json:
    """Return an annotation as Mixpeek sends it."""
    ids = {"annotation_id": f"ann_{number}", "document_id": f"doc_{number}", "execution_id": None}
    return ANNOTATION | {"version": 1, "revisions": []} | ids | values


def raw(number: int, value: str) -> bytes:
    """Return an annotation whose payload is this JSON text."""
    return (
        json.dumps(annotation(number, payload={"a": "PLACE"}))
        .encode()
        .replace(b'"PLACE"', value.encode())
    )


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    yield Upstream()


@pytest.fixture
def client(upstream: Upstream) -> Iterator[Client]:
    server = FakeMixpeek()
    server.answer = upstream.answer
    server.start()
    try:
        with Client(base_url=server.url, api_key="sk_test", namespace="ns_1") as client:
            yield client
    finally:
        server.stop()


def pulled(client: Client) -> Summary:
    """Pull everything, which must come to its end."""
    summary = pull(client=client)
    assert summary.stopped == ""
    return summary


def here() -> set[str | None]:
    """Return the ids of the annotations in the mirror."""
    return set(Annotation.objects.values_list("annotation_id", flat=True))


WORDS = " ".join(f"word{number}" for number in range(150_000))
DEEP = "[" * 50_000 + "]" * 50_000
BAD: dict[str, Callable[[], Any]] = {
    "over 1 MB of different words": lambda: annotation(1, reasoning=WORDS),
    "version 2147483647": lambda: annotation(1, version=2**31 - 1),
    "version 10^20": lambda: annotation(1, version=10**20),
    "a version without end": lambda: (
        json.dumps(annotation(1, version=77)).replace("77", "9" * 9_000).encode()
    ),
    "a large payload": lambda: annotation(1, payload={"a": ["x"] * 200_000}),
    "an id without end": lambda: annotation(1, annotation_id="ann_1" * 1_000),
    "no object": lambda: "ann_1",
    "no label": lambda: annotation(1, label=None),
    "nesting without end": lambda: raw(1, DEEP),
    "60 MB of {}": lambda: raw(1, "[" + "{}," * 20_000_000 + "{}]"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_it_leaves_out_one_bad_annotation(
    upstream: Upstream, client: Client, bad: Callable[[], Any]
) -> None:
    upstream.annotations = [annotation(0), bad(), *(annotation(number) for number in range(2, 40))]
    summary = pulled(client)
    assert here() == {f"ann_{number}" for number in range(40) if number != 1}
    assert len(summary.annotations.left_out) == 1
    (line,) = [line for line in summary.lines() if line.startswith("Left out")]
    assert "ann_1" in line or "results[1]" in line or "at place 2" in line


@pytest.mark.parametrize("bad", [BAD["over 1 MB of different words"], BAD["nesting without end"]])
def test_it_leaves_an_annotation_as_it_is_that_has_become_bad(
    upstream: Upstream, client: Client, bad: Callable[[], Any]
) -> None:
    upstream.annotations = [annotation(number) for number in range(30)]
    pulled(client)
    upstream.annotations[1] = bad()
    upstream.annotations[2] = annotation(2, label="changed", version=2)
    pulled(client)
    kept = Annotation.objects.get(annotation_id="ann_1")
    assert (kept.label, kept.status) == ("approved", Annotation.Status.WAITING)
    assert Annotation.objects.get(annotation_id="ann_2").label == "changed"


def test_it_takes_in_an_annotation_without_its_odd_revisions(
    upstream: Upstream, client: Client, alice_client: Browser
) -> None:
    edit = ANNOTATION["revisions"][0]  # type: ignore[index]
    odd = [edit | {"version": 10**20}, edit | {"prior": {"reasoning": WORDS}}]
    upstream.annotations = [annotation(1, version=3, revisions=[*odd, edit | {"version": 2}])]
    pulled(client)
    row = Annotation.objects.get()
    assert [edit["version"] for edit in row.revisions] == [2]
    assert alice_client.get(reverse("review", args=[row.pk])).status_code == 200


def test_it_believes_low_versions_again_after_one_absurd_version(
    upstream: Upstream, client: Client
) -> None:
    upstream.retrievers = [RETRIEVER | {"version": 10**9}]
    upstream.annotations = [annotation(1, version=10**9)]
    pulled(client)

    upstream.retrievers = [RETRIEVER | {"version": 2, "description": "Changed."}]
    upstream.annotations = [annotation(1, version=2, label="changed")]
    pulled(client)

    row = Annotation.objects.get()
    assert (row.version, row.label) == (2, "changed")
    assert Retriever.objects.get().description == "Changed."

    upstream.retrievers = [RETRIEVER | {"version": 1, "description": "Overtaken."}]
    upstream.annotations = [annotation(1, version=1, label="overtaken")]
    pulled(client)
    assert Annotation.objects.get().label == "changed"
    assert Retriever.objects.get().description == "Changed."


def test_it_never_makes_a_list_of_as_many_versions_as_a_number_says(alice_client: Browser) -> None:
    from reviewapp.annotations.mirror.versions import at_version, latest

    row = make_annotation(version=2**31 - 1, revisions=[])
    assert at_version(latest(row, []), 1) is None
    assert alice_client.get(reverse("review", args=[row.pk])).status_code == 200


def test_it_leaves_out_bad_retrievers_runs_and_documents(
    upstream: Upstream, client: Client
) -> None:
    upstream.retrievers = [
        RETRIEVER,
        RETRIEVER | {"retriever_id": "ret_2", "version": 10**20},
        RETRIEVER | {"retriever_id": "ret_3", "tags": ["t"] * 2_000},
    ]
    run = {"execution_id": "exec_2", "status": "completed", "created_at": "2026-11-01T10:00:00Z"}
    upstream.executions = [
        run | {"execution_id": "e" * 300},
        run | {"total_returned": 10**12},
        run | {"status": 5},
    ]
    upstream.annotations = [annotation(number) for number in range(4)]
    deep = b'{"document_id": "doc_3", "a": ' + DEEP.encode() + b"}"
    upstream.documents = {
        "doc_1": {"document_id": "doc_1", "collection_id": "c" * 300},
        "doc_2": {"document_id": "doc_2", "document_blobs": 5},
        "doc_3": deep,
    }
    summary = pulled(client)
    assert set(Retriever.objects.values_list("retriever_id", flat=True)) == {"ret_1"}
    assert summary.retrievers.left_out.keys() == {"ret_2", "ret_3"}
    assert Execution.objects.get().execution_id == "exec_2"
    assert len(summary.executions.left_out) == 2
    assert [result.document_id for result in Result.objects.all()] == ["doc_1"]
    assert summary.documents.left_out.keys() == {"doc_2", "doc_3"}
    # Nothing that is only unreadable counts as gone.
    Retriever.objects.create(retriever_id="ret_2", name="two", seen_at=timezone.now())
    pulled(client)
    assert Retriever.objects.get(retriever_id="ret_2").gone_at is None


def test_it_remembers_only_requested_documents_as_missing(
    upstream: Upstream, client: Client
) -> None:
    upstream.annotations = [annotation(number) for number in range(3)]

    def answering(request: Received) -> Answer:
        if not request.target.endswith("/documents/batch-get"):
            return upstream.usual(request)
        unreadable = [{"document_id": f"other_{n}", "document_blobs": 5} for n in range(50)]
        of_ours = {"document_id": "doc_1", "document_blobs": 5}
        return rows("documents", [{"document_id": "doc_0"}, of_ours, {"a": 1}, 7, *unreadable])

    upstream.override = answering
    pulled(client)
    missing = dict(MissingDocument.objects.values_list("document_id", "problem"))
    assert missing.keys() == {"doc_1", "doc_2"}
    assert missing["doc_1"] and not missing["doc_2"]


def test_it_ends_the_walk_through_a_list_without_end(client: Client, upstream: Upstream) -> None:
    class Endless(list[Any]):
        def __getitem__(self, part: Any) -> Any:
            return [annotation(number) for number in range(part.start, part.stop)]

        def __len__(self) -> int:
            return 10**9

    upstream.annotations = Endless()
    at, counts = PullPass.objects.create(started_at=timezone.now()), Counts()
    pull_annotations.pull(client, at, Log(), counts, size=20, limit=100)
    assert 100 <= counts.new <= 120


def test_it_goes_on_past_any_number_of_annotations_that_cannot_be_read(
    client: Client, upstream: Upstream
) -> None:
    upstream.annotations = [raw(number, DEEP) for number in range(80)] + [annotation(100)]
    summary = pulled(client)
    assert here() == {"ann_100"}
    assert len(summary.annotations.left_out) == 80


def test_it_leaves_out_whole_pages_after_a_thousand_rows_that_cannot_be_read(
    client: Client, upstream: Upstream
) -> None:
    requests: list[str] = []

    def counting(request: Received) -> Answer:
        requests.append(request.target)
        return upstream.usual(request)

    upstream.override = counting
    upstream.annotations = [raw(number, DEEP) for number in range(80)] + [annotation(100)]
    at, counts = PullPass.objects.create(started_at=timezone.now()), Counts()
    counts.leave_out(LeftOut(name=f"ann_x{number}", reason="odd") for number in range(999))

    pull_annotations.pull(client, at, Log(), counts, size=20)
    # The page on which the limit is reached is searched to its end, the next ones are not.
    assert here() == {"ann_100"}
    pages = [name for name in counts.left_out if name.startswith("the annotations at places")]
    assert pages == [f"the annotations at places {first} to {first + 19}" for first in (21, 41, 61)]
    assert len(requests) < 40


def test_it_stops_where_nothing_at_all_can_be_read(client: Client, upstream: Upstream) -> None:
    class Nothing(list[Any]):
        def __getitem__(self, part: Any) -> Any:
            return [raw(1, DEEP)]

    upstream.annotations = Nothing()
    assert "nested too deeply" in pull(client=client).stopped


DEEPER_THAN_THE_STACK = json.loads('{"a":' * 900 + "1" + "}" * 900)


@pytest.mark.parametrize(
    "prior",
    [
        {"label": None},
        {"label": 5},
        {"confidence": "high"},
        {"reasoning": ["x"]},
        {"payload": "x"},
        {"metadata": [1]},
        DEEPER_THAN_THE_STACK,
    ],
    ids=str,
)
def test_it_takes_in_an_annotation_whose_revision_holds_odd_values(
    upstream: Upstream, client: Client, prior: Json
) -> None:
    edit = ANNOTATION["revisions"][0] | {"prior": prior, "version": 1}  # type: ignore[index]
    upstream.annotations = [
        annotation(0),
        annotation(1, version=2, revisions=[edit]),
        annotation(2),
    ]
    pulled(client)
    assert here() == {"ann_0", "ann_1", "ann_2"}
    assert Annotation.objects.get(annotation_id="ann_1").revisions == []


@pytest.mark.parametrize("name", ["a\x01b", "..", "a\x7f"])
def test_it_leaves_out_what_has_an_id_that_no_call_can_name(
    upstream: Upstream, client: Client, name: str
) -> None:
    upstream.annotations = [annotation(0), annotation(1, annotation_id=name), annotation(2)]
    upstream.retrievers = [RETRIEVER, RETRIEVER | {"retriever_id": name}]
    for _ in range(2):
        summary = pulled(client)
        assert here() == {"ann_0", "ann_2"}
        assert len(summary.annotations.left_out) == len(summary.retrievers.left_out) == 1


def test_it_pulls_others_past_a_retriever_whose_runs_are_refused(
    upstream: Upstream, client: Client
) -> None:
    upstream.retrievers = [RETRIEVER | {"retriever_id": "ret_0"}, RETRIEVER]
    upstream.executions = [
        {"execution_id": "exec_2", "status": "completed", "created_at": "2026-11-01T10:00:00Z"}
    ]

    def refusing(request: Received) -> Answer:
        if "/ret_0/executions" in request.target:
            return Answer(status=404, body={"detail": "no such retriever"})
        return upstream.usual(request)

    upstream.override = refusing
    summary = pulled(client)
    assert Execution.objects.get().execution_id == "exec_2"
    assert list(summary.executions.left_out) == ["more runs of ret_0"]


@pytest.mark.parametrize("status", ["requested", "gone"])
def test_it_makes_no_run_that_mixpeek_lists_as_requested(
    upstream: Upstream, client: Client, status: str
) -> None:
    upstream.executions = [
        {"execution_id": "exec_2", "status": status, "created_at": "2026-11-01T10:00:00Z"}
    ]
    pulled(client)
    assert Execution.objects.get(execution_id="exec_2").status == "unknown"
    assert run.run_requested_executions(lambda: client) == 0


def test_it_writes_nothing_to_another_annotation_than_the_one_decided(
    client: Client, upstream: Upstream, alice: User
) -> None:
    absorb(
        [
            AnnotationRecord(
                annotation_id="ann_1", document_id="d", namespace_id="ns", label="a", version=1
            )
        ]
    )
    decide_by_form(Annotation.objects.get(), alice, hold=0)
    asked: list[str] = []

    def about_another(request: Received) -> Answer:
        asked.append(f"{request.method} {request.target}")
        return Answer(body=annotation(2, label="a"))

    upstream.override = about_another
    drain.drain(client)
    assert asked == ["GET /v1/annotations/ann_1"]
    assert Change.objects.get().state == Change.State.QUEUED


def test_it_keeps_so_many_hints_and_no_more() -> None:
    Hint.objects.bulk_create(
        Hint(annotation_id=f"old_{n}", source="feed") for n in range(hints.MAX_WAITING)
    )
    hints.enqueue_hints(["ann_1"], Hint.Source.FEED)
    assert not Hint.objects.filter(annotation_id="ann_1").exists()


def test_it_logs_the_first_of_many_events_that_cannot_be_read(
    upstream: Upstream, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    page_of_events = {"results": [{"seq": "x"}] * 5_000, "next_cursor": "c_1", "has_more": False}
    upstream.override = lambda _request: Answer(body=page_of_events)
    assert feed.poll(client) == 3
    about_events = [text for text in caplog.messages if "of the change feed" in text]
    assert len(about_events) == 3 * 21
    assert "4,980 more" in about_events[-1]


def test_it_follows_other_hints_past_one_that_cannot_be_read(
    client: Client, upstream: Upstream
) -> None:
    upstream.annotations = [annotation(1, version=10**20), annotation(2)]
    hints.enqueue_hints(["ann_1", "ann_2"], Hint.Source.WEBHOOK)
    hints.follow(client)
    assert here() == {"ann_2"}
    assert [hint.annotation_id for hint in Hint.objects.all()] == ["ann_1"]
    assert not Quiet.objects.exists()


def test_it_delivers_others_past_one_that_cannot_be_read(
    client: Client, upstream: Upstream, alice: User
) -> None:
    numbers = itertools.count(1)
    records = [
        AnnotationRecord(
            annotation_id=f"ann_{n}", document_id="d", namespace_id="ns", label="a", version=1
        )
        for n in itertools.islice(numbers, 3)
    ]
    absorb(records)
    changes = []
    for row in Annotation.objects.order_by("pk"):
        decision = decide_by_form(row, alice, hold=0)
        changes.append(Change.objects.get(cause=decision.decision_id))
    upstream.annotations = [raw(1, DEEP), annotation(2, label="a"), annotation(3, label="a")]
    drain.drain(client)
    states = {change.ref: (change.state, change.attempts) for change in Change.objects.all()}
    assert states["annotations/ann_1"] == ("queued", 1)
    assert states["annotations/ann_2"] == states["annotations/ann_3"] == ("delivered", 0)
