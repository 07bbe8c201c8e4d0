"""Annotations through the JSON API: list, get, patch, create, versions, stats, bulk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change
from tests.api.conftest import NAMESPACE, Caller
from tests.factories import LONG_AGO, make_annotation, make_change, make_retriever

pytestmark = pytest.mark.django_db


def listed(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.content
    return [row["annotation_id"] for row in reply.json()["results"]]


def edit(version: int, edited_at: datetime, **prior: Any) -> dict[str, Any]:
    return {
        "version": version,
        "prior": prior,
        "edited_at": edited_at.isoformat(),
        "edited_by": "somebody",
        "edited_by_type": "user",
    }


def test_it_lists_in_the_order_of_arrival_and_counts_all(as_alice: Caller) -> None:
    rows = [make_annotation() for _ in range(5)]
    reply = as_alice("POST", "/v1/annotations/list?skip=1&limit=2")
    assert listed(reply) == [row.annotation_id for row in rows[1:3]]
    assert reply.json()["total_count"] == 5
    assert listed(as_alice("POST", "/v1/annotations/list?skip=9", {})) == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"label": "van"}, ["ann_b"]),
        ({"document_id": "doc_a"}, ["ann_a"]),
        ({"collection_id": "col_b", "label": "van"}, ["ann_b"]),
        ({"retriever_id": "ret_b"}, ["ann_b"]),
        ({"actor_id": "key_1"}, ["ann_a"]),
        ({"retriever_id": "nobody"}, []),
        ({"label": None}, ["ann_a", "ann_b"]),
    ],
)
def test_it_filters_by_equal_values(
    as_alice: Caller, filters: dict[str, Any], found: list[str]
) -> None:
    make_annotation(annotation_id="ann_a", label="logo", document_id="doc_a", actor_id="key_1")
    retriever = make_retriever(retriever_id="ret_b")
    make_annotation(retriever, annotation_id="ann_b", label="van", collection_id="col_b")
    assert listed(as_alice("POST", "/v1/annotations/list", filters)) == found


def test_it_leaves_out_what_mixpeek_would_not_call_an_annotation(as_alice: Caller) -> None:
    make_annotation(status="gone")
    waiting = make_annotation(annotation_id=None, ref="annotations/local-1", label="", upstream={})
    assert listed(as_alice("POST", "/v1/annotations/list")) == []
    assert as_alice("GET", "/v1/annotations/local-1").status_code == 404
    assert waiting.label == ""


def test_it_lists_as_of_an_instant(as_alice: Caller) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    make_annotation(
        annotation_id="ann_a",
        label="van",
        version=2,
        created_at=noon,
        updated_at=noon + timedelta(hours=2),
        revisions=[edit(1, noon + timedelta(hours=2), label="logo", reasoning=None)],
        reasoning="wheels",
    )

    def at(hours: float, **filters: Any) -> list[tuple[str, int]]:
        body = {"as_of": (noon + timedelta(hours=hours)).isoformat(), **filters}
        return [
            (r["label"], r["version"])
            for r in as_alice("POST", "/v1/annotations/list", body).json()["results"]
        ]

    assert at(-1) == []
    assert at(1) == [("logo", 1)]
    assert at(3) == [("van", 2)]
    assert at(1, label="van") == []
    assert at(1, label="logo") == [("logo", 1)]
    assert at(3, label="van") == [("van", 2)]


def test_it_shows_an_annotation_in_mixpeeks_shape(as_alice: Caller) -> None:
    row = make_annotation(metadata={"by": "x"}, payload={"a": [1]})
    reply = as_alice("GET", f"/v1/annotations/{row.annotation_id}")
    assert reply.json() == {
        "annotation_id": row.annotation_id,
        "document_id": row.document_id,
        "namespace_id": NAMESPACE,
        "collection_id": "col_photos",
        "label": "logo",
        "confidence": 0.5,
        "reasoning": None,
        "payload": {"a": [1]},
        "metadata": {"by": "x"},
        "retriever_id": row.retriever and row.retriever.retriever_id,
        "execution_id": None,
        "stage_name": None,
        "actor_id": "system",
        "actor_type": "system",
        "created_at": row.created_at and row.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": row.updated_at and row.updated_at.isoformat().replace("+00:00", "Z"),
        "version": 1,
        "revisions": [],
    }
    assert reply["ETag"] and reply["X-Request-ID"]


def test_it_creates_an_annotation_that_has_a_local_id_until_it_is_delivered(
    as_alice: Caller,
) -> None:
    retriever = make_retriever()
    request = {
        "document_id": "doc_new",
        "label": "van",
        "retriever_id": retriever.retriever_id,
        "metadata": {"by": "script"},
        "stage_name": "search",
    }
    reply = as_alice("POST", "/v1/annotations", request)
    assert reply.status_code == 200, reply.content
    body = reply.json()
    assert body["annotation_id"].startswith("local-")
    assert (body["label"], body["version"], body["actor_id"], body["actor_type"]) == (
        "van",
        1,
        "alice",
        "user",
    )
    change = Change.objects.get(pk=int(reply["X-Change-Id"]))
    assert (change.verb, change.fields["label"], change.fields["metadata"]) == (
        "create",
        "van",
        {"by": "script"},
    )
    Annotation.objects.filter(ref=change.ref).update(annotation_id="ann_real")
    assert (
        as_alice("GET", f"/v1/annotations/{body['annotation_id']}").json()["annotation_id"]
        == "ann_real"
    )


def test_it_annotates_a_result_that_waits_for_it(as_alice: Caller) -> None:
    waiting = make_annotation(
        annotation_id=None, ref="annotations/local-1", label="", upstream={}, version=None
    )
    assert waiting.retriever
    place = {"document_id": waiting.document_id, "retriever_id": waiting.retriever.retriever_id}
    assert (
        as_alice("POST", "/v1/annotations", {**place, "label": "van"}).json()["annotation_id"]
        == "local-1"
    )
    again = as_alice("POST", "/v1/annotations", {**place, "label": "bus"})
    assert again.status_code == 409
    assert again.json()["error"]["details"]["annotation_id"] == "local-1"


@pytest.mark.parametrize(
    "path",
    ["/v1/annotations/none", "/v1/annotations/none/versions", "/v1/annotations/none/versions/1"],
)
def test_it_does_not_find_what_is_not_there(as_alice: Caller, path: str) -> None:
    reply = as_alice("GET", path)
    assert reply.status_code == 404
    assert reply.json()["error"]["type"] == "NotFoundError"


def test_it_tells_every_version_with_what_is_about_to_be_one(as_alice: Caller) -> None:
    row = make_annotation(version=2, revisions=[edit(1, LONG_AGO, label="bus")], actor_id="key_1")
    as_alice("PATCH", f"/v1/annotations/{row.annotation_id}", {"label": "van"})
    history = as_alice("GET", f"/v1/annotations/{row.annotation_id}/versions").json()
    assert history["current_version"] == 3
    assert [
        (v["version"], v["current"], v["edited_by"], v["changed_fields"])
        for v in history["versions"]
    ] == [
        (1, False, None, None),
        (2, False, "somebody", ["label"]),
        (3, True, "alice", ["label"]),
    ]
    labels = [
        as_alice("GET", f"/v1/annotations/{row.annotation_id}/versions/{n}").json()["label"]
        for n in (1, 2, 3)
    ]
    assert labels == ["bus", "logo", "van"]
    assert as_alice("GET", f"/v1/annotations/{row.annotation_id}/versions/4").status_code == 404


def test_it_counts_labels(as_alice: Caller) -> None:
    make_annotation(document_id="doc_a", label="van")
    make_annotation(document_id="doc_a", label="van")
    make_annotation(document_id="doc_b", label="bus")
    assert as_alice("GET", "/v1/annotations/stats").json() == {
        "total": 3,
        "by_label": {"van": 2, "bus": 1},
    }
    assert as_alice("GET", "/v1/annotations/stats?document_id=doc_b").json() == {
        "total": 1,
        "by_label": {"bus": 1},
    }


def test_it_does_what_it_can_in_bulk(as_alice: Caller) -> None:
    row = make_annotation()
    reply = as_alice(
        "POST",
        "/v1/annotations/bulk",
        {
            "create": [
                {"document_id": "doc_x", "label": "van"},
                {"document_id": "doc_x", "label": "bus"},
            ],
            "update": [
                {"annotation_id": row.annotation_id, "label": "bus"},
                {"annotation_id": "none", "label": "x"},
            ],
            "delete": ["ann_1"],
        },
    )
    body = reply.json()
    assert [body[f"{name}_count"] for name in ("created", "updated", "deleted", "failed")] == [
        1,
        1,
        0,
        3,
    ]
    assert [result["success"] for result in body["results"]] == [True, False, True, False, False]
    assert body["results"][2]["change_id"] == Change.objects.get(ref=row.ref).pk
    assert "cannot be deleted" in body["results"][4]["error"]


def test_it_counts_again_as_soon_as_something_happened(as_alice: Caller) -> None:
    def total() -> int:
        return int(as_alice("POST", "/v1/annotations/list?limit=1").json()["total_count"])

    rows = [make_annotation() for _ in range(3)]
    assert (total(), total()) == (3, 3)
    make_annotation()
    assert total() == 4
    Annotation.objects.filter(pk=rows[0].pk).update(status="gone")
    assert total() == 3


def test_it_asks_few_questions_for_a_page(
    as_alice: Caller, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        make_change(make_annotation())
    as_alice("POST", "/v1/annotations/list?limit=10")
    with django_assert_max_num_queries(8):
        as_alice("POST", "/v1/annotations/list?limit=10")


def test_it_remembers_for_a_while_how_many_many_are(as_alice: Caller) -> None:
    like = make_annotation(label="many")
    copies = [
        Annotation(
            ref=f"annotations/m{n}",
            annotation_id=f"m{n}",
            document_id=f"d{n}",
            label="many",
            seen_at=like.seen_at,
        )
        for n in range(2_000)
    ]
    Annotation.objects.bulk_create(copies)
    assert (
        as_alice("POST", "/v1/annotations/list?limit=1", {"label": "many"}).json()["total_count"]
        == 2_001
    )
    make_annotation(label="many")
    # The number is remembered; what is listed is never behind.
    assert (
        as_alice("POST", "/v1/annotations/list?limit=1", {"label": "many"}).json()["total_count"]
        == 2_001
    )
    last = as_alice("POST", "/v1/annotations/list?limit=10&skip=2001", {"label": "many"}).json()
    assert (len(last["results"]), last["total_count"]) == (1, 2_002)
