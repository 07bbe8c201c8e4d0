"""`X-Change-Reason` is kept with the request, in the change feed and the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.official_sdk import mixpeek
from tests.tools.sandbox.running import Box

REASON = "decision 7f3a: relabelled"
HEADERS = {"X-Change-Reason": REASON}


@pytest.fixture
def client(box: Box) -> Iterator[mixpeek.ApiClient]:
    with box.sdk() as client:
        yield client


@pytest.fixture
def audit(client: mixpeek.ApiClient) -> mixpeek.OrganizationAuditApi:
    return mixpeek.OrganizationAuditApi(client)


def _create(box: Box, headers: dict[str, str] | None = None) -> str:
    new = {"document_id": "doc_2", "label": "unripe", "confidence": 0.5}
    reply = box.call("POST", "/v1/annotations", json=new, headers=headers)
    return str(reply.json()["annotation_id"])


def _feed(box: Box, annotation_id: str) -> list[tuple[str, Any]]:
    rows: list[dict[str, Any]] = []
    page: dict[str, Any] = {"has_more": True, "next_cursor": ""}
    while page["has_more"]:
        page = box.call("GET", f"/v1/events?limit=1000&cursor={page['next_cursor']}").json()
        rows += page["results"]
    own = [row for row in rows if row["payload"].get("annotation_id") == annotation_id]
    return [(row["event_type"], row["reason"]) for row in own]


def test_it_shows_the_reason_of_each_write_in_the_feed(box: Box) -> None:
    annotation_id = _create(box, HEADERS)
    update = {"annotation_id": annotation_id, "label": "ripe"}
    box.call(
        "POST",
        "/v1/annotations/bulk",
        json={"update": [update]},
        headers={"X-Change-Reason": "in bulk"},
    )
    box.call("PATCH", f"/v1/annotations/{annotation_id}", json={"label": "rotten"}, headers=HEADERS)
    box.call(
        "PATCH",
        f"/v1/annotations/{annotation_id}",
        json={"label": "ripe"},
        headers={"X-Change-Reason": ""},
    )
    box.call("DELETE", f"/v1/annotations/{annotation_id}")
    assert _feed(box, annotation_id) == [
        ("annotation.created", REASON),
        ("annotation.updated", "in bulk"),
        ("annotation.updated", REASON),
        ("annotation.updated", None),
        ("annotation.deleted", None),
    ]


def test_it_keeps_the_reason_with_the_request(box: Box, old_box: Box) -> None:
    for sandbox in (box, old_box):
        sandbox.call("PATCH", "/v1/annotations/ann_4", json={"label": "ripe"}, headers=HEADERS)
        sandbox.call("PATCH", "/v1/annotations/ann_4", json={"label": "ripe"})
        assert [entry["change_reason"] for entry in sandbox.received(method="PATCH")] == [
            REASON,
            None,
        ]


def test_it_tells_the_official_client_who_changed_what_and_why(
    box: Box, client: mixpeek.ApiClient, audit: mixpeek.OrganizationAuditApi
) -> None:
    annotation_id = _create(box, HEADERS)
    labels = mixpeek.AnnotationsApi(client)
    change = mixpeek.PatchAnnotationRequest(label="ripe", confidence=0.25)
    labels.patch_annotation(annotation_id, change, _headers=dict(HEADERS))
    labels.patch_annotation(annotation_id, change, _headers={"X-Change-Reason": "nothing changes"})
    labels.delete_annotation(annotation_id)

    deleted, updated, created = audit.list_audit_logs_organizations(
        resource_id=annotation_id,
    ).results

    assert [event.action for event in (created, updated, deleted)] == [
        mixpeek.AuditAction.ANNOTATION_CREATED,
        mixpeek.AuditAction.ANNOTATION_UPDATED,
        mixpeek.AuditAction.ANNOTATION_DELETED,
    ]
    assert [event.reason for event in (created, updated, deleted)] == [REASON, REASON, None]
    assert updated.changes == {
        "confidence": {"old": 0.5, "new": 0.25},
        "label": {"old": "unripe", "new": "ripe"},
    }
    assert (updated.resource_type, updated.resource_id) == ("annotation", annotation_id)
    assert (updated.actor_type, updated.status) == ("api_key", "success")
    assert updated.actor_id == created.actor_id
    assert updated.timestamp >= created.timestamp


def test_it_logs_why_a_retriever_changed(
    client: mixpeek.ApiClient,
    audit: mixpeek.OrganizationAuditApi,
) -> None:
    retrievers = mixpeek.RetrieversApi(client)
    before = retrievers.get_retriever("ret_lenient").description
    change = mixpeek.PatchRetrieverRequest(description="with a reason", tags=[])
    retrievers.patch_retriever("ret_lenient", change, _headers=dict(HEADERS))
    newest = audit.list_audit_logs_organizations(
        resource_type=mixpeek.ResourceTypeInput.RETRIEVER,
        limit=1,
    ).results[0]
    assert (newest.action, newest.resource_id) == (
        mixpeek.AuditAction.RETRIEVER_UPDATED,
        "ret_lenient",
    )
    assert newest.reason == REASON
    assert newest.changes == {"description": {"old": before, "new": "with a reason"}}


def test_it_pages_and_filters_the_log(box: Box, audit: mixpeek.OrganizationAuditApi) -> None:
    annotation_id = _create(box)
    for label in ("a", "b", "c"):
        box.call("PATCH", f"/v1/annotations/{annotation_id}", json={"label": label})

    def labels(**query: Any) -> list[str]:
        events = audit.list_audit_logs_organizations(resource_id=annotation_id, **query).results
        return [event.changes["label"]["new"] for event in events if event.changes]

    page = audit.list_audit_logs_organizations(resource_id=annotation_id, skip=1, limit=2)
    assert (page.total, page.skip, page.limit, len(page.results)) == (4, 1, 2, 2)
    assert labels() == ["c", "b", "a"]
    assert labels(skip=1, limit=2) == ["b", "a"]
    assert labels(resource_type=mixpeek.ResourceTypeInput.RETRIEVER) == []
    assert labels(action=mixpeek.AuditAction.ANNOTATION_CREATED) == []
    assert labels(actor_id="nobody") == []

    changed_at = page.results[0].timestamp
    assert labels(start=changed_at) == ["c", "b"]
    assert labels(end=changed_at.replace("Z", "+00:00")) == ["b", "a"]


@pytest.mark.parametrize(
    "query",
    ["skip=-1", "limit=0", "limit=1001", "resource_type=cake", "start=yesterday"],
)
def test_it_refuses_a_wrong_query_of_the_log(box: Box, query: str) -> None:
    reply = box.call("GET", f"/v1/organizations/audit/logs?{query}")
    assert reply.status_code == 422
    (complaint,) = reply.json()["error"]["details"]["validation_errors"]
    assert complaint["location"] == ["query", query.partition("=")[0]]


def test_it_logs_nothing_that_was_refused(box: Box, annotation_id: str) -> None:
    box.call("PATCH", f"/v1/annotations/{annotation_id}", json={"confidence": 2}, headers=HEADERS)
    log = box.call("GET", f"/v1/organizations/audit/logs?resource_id={annotation_id}").json()
    assert [event["action"] for event in log["results"]] == ["annotation_created"]


def test_it_shows_the_log_to_good_keys_only(box: Box) -> None:
    configuration = mixpeek.Configuration(host=box.url, access_token="pk_wrong", retries=False)
    with (
        mixpeek.ApiClient(configuration) as stranger,
        pytest.raises(mixpeek.exceptions.UnauthorizedException),
    ):
        mixpeek.OrganizationAuditApi(stranger).list_audit_logs_organizations()


def test_it_has_no_audit_log_in_the_old_dialect(old_box: Box) -> None:
    assert old_box.call("GET", "/v1/organizations/audit/logs").status_code == 404
