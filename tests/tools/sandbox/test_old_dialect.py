"""The 2025-10 dialect, as the older reference pages have it."""

from __future__ import annotations

from tests.tools.sandbox.running import Box

ANNOTATION = {
    *(
        "document_id",
        "namespace_id",
        "label",
        "annotation_id",
        "collection_id",
        "confidence",
        "reasoning",
        "payload",
    ),
    *(
        "retriever_id",
        "execution_id",
        "stage_name",
        "actor_id",
        "actor_type",
        "created_at",
        "updated_at",
    ),
}


def test_it_shows_annotations_without_versions(old_box: Box) -> None:
    reply = old_box.call(
        "PATCH",
        "/v1/annotations/ann_1",
        json={"label": "rotten", "confidence": 0.5},
    )
    assert reply.status_code == 200
    assert set(reply.json()) == ANNOTATION
    assert old_box.call("GET", "/v1/annotations/ann_1/versions").status_code == 404


def test_it_does_not_know_metadata(old_box: Box) -> None:
    reply = old_box.call(
        "PATCH",
        "/v1/annotations/ann_2",
        json={"label": "rotten", "metadata": {"a": 1}},
    )
    assert (reply.json()["label"], "metadata" in reply.json()) == ("rotten", False)


def test_it_renames_by_name(old_box: Box) -> None:
    reply = old_box.call(
        "PATCH",
        "/v1/retrievers/ret_patched",
        json={"name": "renamed", "example_desc": "ignored"},
    )
    retriever = reply.json()["retriever"]
    assert (retriever["name"], retriever["pipeline_id"]) == ("renamed", "ret_patched")
    assert not {"retriever_name", "retriever_id", "version", "metadata", "fusion"} & set(retriever)
    assert retriever["stages"] == [
        {
            "name": "few",
            "config": {"stage_name": "limit", "version": "v1", "parameters": {"limit": 3}},
        }
    ]


def test_it_ignores_the_newer_key_and_so_finds_nothing_to_do(old_box: Box) -> None:
    reply = old_box.call(
        "PATCH",
        "/v1/retrievers/ret_all",
        json={"retriever_name": "x", "stages": []},
    )
    assert reply.status_code == 400


def test_it_complains_as_fastapi(old_box: Box) -> None:
    reply = old_box.call("PATCH", "/v1/annotations/ann_1", json={"confidence": 2})
    assert reply.status_code == 422
    message = "Input should be less than or equal to 1"
    assert reply.json() == {
        "detail": [{"loc": ["body", "confidence"], "msg": message, "type": "less_than_equal"}],
    }


def test_it_takes_the_namespace_from_the_query(old_box: Box) -> None:
    headers = {"X-Namespace": ""}
    assert (
        old_box.call(
            "GET",
            "/v1/annotations/ann_3?namespace=ns_sample",
            headers=headers,
        ).status_code
        == 200
    )
    missing = old_box.call("GET", "/v1/retrievers/ret_all", headers=headers)
    assert (missing.status_code, missing.json()["detail"][0]["type"]) == (422, "missing")
