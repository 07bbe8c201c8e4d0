"""The gateway answers field by field as Mixpeek does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.audit.models import Event
from reviewapp.mixpeek.client import Client
from reviewapp.retrievers.mirror import absorb_executions, absorb_retriever
from reviewapp.retrievers.models import Execution, Retriever
from reviewapp.sync.deliver import drain
from reviewapp.sync.pull.run import pull
from tests.api.conftest import Caller
from tests.official_sdk import mixpeek
from tests.tools.sandbox.running import Box, running_sandbox
from tools.sandbox.sample import write_sample

Connect = Callable[[str], "mixpeek.ApiClient"]
Json = dict[str, Any]
FUTURE: Json = {"a_field_of_tomorrow": {"deep": [1, None, "x", 0.25]}}


@pytest.fixture(scope="module")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """The sample namespace, in which each retriever and execution has a field that no model knows."""
    folder = Path(tmp_path_factory.mktemp("whole"))
    write_sample(folder, with_media=False)
    for name in ("retrievers.jsonl", "executions.jsonl"):
        rows = [json.loads(line) | FUTURE for line in (folder / name).read_text().splitlines()]
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with running_sandbox(data=folder) as box:
        yield box


@pytest.fixture
def box(shared_box: Box, settings: Settings, transactional_db: None) -> Box:
    """The sandbox behind the gateway, its retrievers and executions mirrored."""
    shared_box.clear()
    settings.MIXPEEK_BASE_URL, settings.MIXPEEK_API_KEY = shared_box.url, shared_box.key
    settings.MIXPEEK_NAMESPACE = shared_box.namespace
    mirror(shared_box)
    return shared_box


def client_of(box: Box) -> Client:
    return Client(base_url=box.url, api_key=box.key, namespace=box.namespace, timeout=(2, 5))


def mirror(box: Box) -> None:
    """Do the part of a pull that these tests are about."""
    with client_of(box) as client:
        absorb_retriever(client.list_retrievers())
        for retriever in Retriever.objects.all():
            absorb_executions(retriever, list(client.executions(retriever.retriever_id)))


def get(box: Box, path: str) -> Json:
    """Return what Mixpeek itself answers, unread by any model."""
    reply: Json = box.call("GET", path).json()
    return reply


def ours(caller: Caller, path: str) -> Json:
    reply = caller("GET", path)
    assert reply.status_code == 200, reply.content
    body: Json = reply.json()
    return body


def whole_list(annotations: mixpeek.AnnotationsApi) -> list[Any]:
    """Return every annotation, page by page."""
    rows: list[Any] = []
    while True:
        page = annotations.list_annotations(skip=len(rows), limit=200).results
        if not page:
            return rows
        rows += page


def test_it_shows_the_official_client_the_same_retrievers(
    box: Box, sdk: Connect, secret_of: Callable[..., str], alice: User
) -> None:
    gateway = mixpeek.RetrieversApi(sdk(secret_of(alice, "read")))
    with box.sdk() as client:
        direct = mixpeek.RetrieversApi(client)
        there = direct.list_retrievers(page_size=100)
        here = gateway.list_retrievers(page_size=100)
        assert len(there.results) == 3
        assert here.to_dict() == there.to_dict()
        for row in there.results:
            upstream = direct.get_retriever(row.retriever_id)
            assert gateway.get_retriever(row.retriever_id).to_dict() == upstream.to_dict()
            assert gateway.get_retriever(row.retriever_name).to_dict() == upstream.to_dict()
    by_name = {row.retriever_name: row for row in here.results}
    assert by_name["duplicate_and_moderation"].is_published
    assert {row.fusion for row in here.results} == {"rrf", "learned"}


def test_it_shows_the_official_client_the_same_executions(
    box: Box, sdk: Connect, secret_of: Callable[..., str], alice: User
) -> None:
    gateway = mixpeek.RetrieversApi(sdk(secret_of(alice, "read")))
    with box.sdk() as client:
        direct = mixpeek.RetrieversApi(client)
        for retriever in Retriever.objects.all():
            name = retriever.retriever_id
            there = direct.list_executions_retrievers(name)
            assert len(there.results) >= 3
            assert gateway.list_executions_retrievers(name).to_dict() == there.to_dict()
            for row in there.results:
                upstream = direct.get_execution_retrievers(name, row.execution_id)
                assert (
                    gateway.get_execution_retrievers(name, row.execution_id).to_dict()
                    == upstream.to_dict()
                )


def test_it_shows_the_official_client_the_same_annotations(
    box: Box, sdk: Connect, secret_of: Callable[..., str], alice: User
) -> None:
    with client_of(box) as ours_to_mixpeek:
        assert pull(client=ours_to_mixpeek).stopped == ""
    gateway = mixpeek.AnnotationsApi(sdk(secret_of(alice, "read")))
    with box.sdk() as client:
        direct = mixpeek.AnnotationsApi(client)
        there = {row.annotation_id: row.to_dict() for row in whole_list(direct)}
        here = {row.annotation_id: row.to_dict() for row in whole_list(gateway)}
        assert len(there) == direct.annotation_stats().total > 500
        assert here == there
        assert gateway.annotation_stats().to_dict() == direct.annotation_stats().to_dict()


def test_it_passes_on_fields_that_no_model_knows(box: Box, as_alice: Caller) -> None:
    for retriever in Retriever.objects.all():
        path = f"/v1/retrievers/{retriever.retriever_id}"
        assert ours(as_alice, path) == get(box, path)
        assert ours(as_alice, path)["a_field_of_tomorrow"] == FUTURE["a_field_of_tomorrow"]
        there = box.call("POST", f"{path}/executions/list").json()
        here = as_alice("POST", f"{path}/executions/list").json()
        assert here["results"] == there["results"]
        assert ours(as_alice, f"{path}/executions")["results"] == there["results"]
        for row in there["results"]:
            address = f"{path}/executions/{row['execution_id']}"
            assert ours(as_alice, address) == get(box, address)
            assert ours(as_alice, address)["a_field_of_tomorrow"] == FUTURE["a_field_of_tomorrow"]


def test_it_asks_mixpeek_once_about_an_execution(box: Box, as_alice: Caller) -> None:
    row = Execution.objects.order_by("pk").first()
    assert row is not None
    path = f"/v1/retrievers/{row.retriever.retriever_id}/executions/{row.execution_id}"
    assert ours(as_alice, path) == ours(as_alice, path)
    assert len(box.received(method="GET", path=path)) == 1


def test_it_says_what_is_kept_of_an_execution_that_mixpeek_has_forgotten(
    box: Box, as_alice: Caller
) -> None:
    row = Execution.objects.order_by("pk").first()
    assert row is not None
    path = f"/v1/retrievers/{row.retriever.retriever_id}/executions/{row.execution_id}"
    box.faults([{"method": "GET", "path": path, "status": 404}])
    body = ours(as_alice, path)
    assert (body["execution_id"], body["status"], body["total_returned"]) == (
        row.execution_id,
        "completed",
        60,
    )
    assert (body["documents"], body["documents_retained"]) == ([], False)
    assert body["warnings"] == [
        "Mixpeek no longer has this execution. These are the values stored here."
    ]


def test_it_says_which_of_both_is_not_there(
    box: Box, sdk: Connect, secret_of: Callable[..., str], alice: User, as_alice: Caller
) -> None:
    gateway = mixpeek.RetrieversApi(sdk(secret_of(alice, "read")))
    brands, coding = Retriever.objects.order_by("pk")[:2]
    other = Execution.objects.filter(retriever=coding).first()
    assert other is not None
    for missing in ("exec_none", other.execution_id):
        with pytest.raises(mixpeek.exceptions.NotFoundException) as refused:
            gateway.get_execution_retrievers(brands.retriever_id, missing)
        assert refused.value.data.error.message == f"execution not found: {missing}"
    for path in ("executions", "executions/exec_none"):
        reply = as_alice("GET", f"/v1/retrievers/ret_none/{path}")
        assert (reply.status_code, reply.json()["error"]["message"]) == (
            404,
            "retriever not found: ret_none",
        )
    assert box.received(method="GET", path="/v1/retrievers/") == []


@pytest.mark.parametrize(
    "name", ["brand_logo_triage", "clinical_coding_review", "duplicate_and_moderation"]
)
def test_it_runs_a_retriever_and_says_all_that_mixpeek_said(
    box: Box, sdk: Connect, secret_of: Callable[..., str], lena: User, name: str
) -> None:
    gateway = mixpeek.RetrieversApi(sdk(secret_of(lena, "decide")))
    queries = {"brand_logo_triage": "sign", "clinical_coding_review": "pain"}
    inputs = {"query": queries[name]} if name in queries else {}
    pages = mixpeek.Pagination1(mixpeek.CursorPaginationParams(limit=4))
    request = mixpeek.ExecuteRetrieverRequest(inputs=inputs, pagination=pages)
    here = gateway.execute_retriever(name, request).to_dict()
    with box.sdk() as client:
        direct = mixpeek.RetrieversApi(client)
        there = direct.execute_retriever(name, request).to_dict()
        detail = direct.get_execution_retrievers(name, here["execution_id"]).to_dict()
    assert len(here["documents"]) == 4
    for reply in (here, there):
        # What two runs never share.
        assert reply.pop("execution_id") and reply.pop("stage_statistics") and reply.pop("budget")
        assert reply["pagination"].pop("cursor")
    assert here == there
    execution_id = detail["execution_id"]
    assert gateway.get_execution_retrievers(name, execution_id).to_dict() == detail
    (listed,) = [
        row
        for row in gateway.list_executions_retrievers(name).results
        if row.execution_id == execution_id
    ]
    assert (listed.total_returned, listed.status) == (here["pagination"]["total"], "completed")
    mirror(box)
    with box.sdk() as client:
        there_listed = (
            mixpeek.RetrieversApi(client).list_executions_retrievers(name, page_size=100).to_dict()
        )
    assert gateway.list_executions_retrievers(name, page_size=100).to_dict() == there_listed


def test_it_keeps_what_a_patch_reply_leaves_out(
    box: Box, sdk: Connect, secret_of: Callable[..., str], adam: User, as_adam: Caller
) -> None:
    path = "/v1/retrievers/duplicate_and_moderation"
    before = ours(as_adam, path)
    gateway = mixpeek.RetrieversApi(sdk(secret_of(adam, "admin")))
    gateway.patch_retriever(
        "duplicate_and_moderation", mixpeek.PatchRetrieverRequest(tags=["moderation", "new"])
    )
    expected = before | {"tags": ["moderation", "new"], "version": before["version"] + 1}
    assert ours(as_adam, path) == expected
    with client_of(box) as client:
        drain.drain(client)
    after = ours(as_adam, path)
    assert after == get(box, path)
    assert (after["is_published"], after["version"]) == (True, before["version"] + 1)


def test_it_writes_no_history_of_fields_that_nobody_edits_here(box: Box, as_alice: Caller) -> None:
    events = Event.objects.count()
    path = "/v1/retrievers/clinical_coding_review"
    assert box.call("PATCH", path, json={"metadata": {"owner": "somebody else"}}).status_code == 200
    mirror(box)
    assert ours(as_alice, path)["metadata"] == {"owner": "somebody else"}
    assert Event.objects.count() == events
