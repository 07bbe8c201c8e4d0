"""A null sent for a field, to a sandbox of each dialect that clears it, ignores it or refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reviewapp.mixpeek import AnnotationRecord, Client, Refused
from reviewapp.mixpeek.calls import annotations as annotation_calls
from reviewapp.mixpeek.wire import parse_response
from tests.mixpeek.samples import ANNOTATION, reply
from tests.sandbox_data import write_fruit_folder
from tests.tools.sandbox.running import Box, SharedSandboxes
from tools.sandbox.dialect import DIALECTS

FIELDS = ("confidence", "reasoning", "payload")


@pytest.fixture(scope="module", params=DIALECTS)
def shared_box(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    sandboxes: SharedSandboxes,
) -> Box:
    folder = write_fruit_folder(tmp_path_factory.mktemp("data"))
    return sandboxes.namespace(folder, dialect=request.param)


@pytest.fixture
def box(shared_box: Box) -> Iterator[Box]:
    shared_box.clear()
    yield shared_box
    shared_box.clear()


@pytest.fixture
def sandbox_client(box: Box) -> Iterator[Client]:
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        yield client


@pytest.fixture
def annotation(sandbox_client: Client) -> AnnotationRecord:
    """An annotation with a value in every field."""
    return sandbox_client.create_annotation(
        document_id="doc_1", label="unripe", confidence=0.5, reasoning="green", payload={"a": 1}
    )


def _values(record: AnnotationRecord) -> tuple[object, ...]:
    return record.confidence, record.reasoning, record.payload


def test_it_reads_cleared_fields(sandbox_client: Client, annotation: AnnotationRecord) -> None:
    record = sandbox_client.patch_annotation(annotation.annotation_id, dict.fromkeys(FIELDS))
    assert _values(record) == (None, None, {})
    assert _values(sandbox_client.get_annotation(annotation.annotation_id)) == (None, None, {})


def test_it_tells_an_emptied_reasoning_from_a_cleared_one(
    sandbox_client: Client, annotation: AnnotationRecord
) -> None:
    record = sandbox_client.patch_annotation(annotation.annotation_id, {"reasoning": ""})
    assert record.reasoning == ""


def test_it_shows_by_its_reply_that_a_null_was_ignored(
    box: Box, sandbox_client: Client, annotation: AnnotationRecord
) -> None:
    box.null("ignore")
    record = sandbox_client.patch_annotation(annotation.annotation_id, dict.fromkeys(FIELDS))
    assert record == annotation


def test_it_names_each_field_whose_null_was_refused(
    box: Box, sandbox_client: Client, annotation: AnnotationRecord
) -> None:
    box.null("refuse")
    changes = {"label": "ripe", **dict.fromkeys(FIELDS)}
    with pytest.raises(Refused) as refused:
        sandbox_client.patch_annotation(annotation.annotation_id, changes)
    assert refused.value.status == 422
    assert list(refused.value.fields) == list(FIELDS)
    assert all(refused.value.fields.values())
    assert sandbox_client.get_annotation(annotation.annotation_id) == annotation


def test_it_names_the_item_and_the_field_whose_null_was_refused_in_bulk(
    box: Box, sandbox_client: Client, annotation: AnnotationRecord
) -> None:
    box.null("refuse")
    updates: dict[str, dict[str, Any]] = {
        "ann_1": {"label": "ripe"},
        annotation.annotation_id: {"confidence": None},
    }
    with pytest.raises(Refused) as refused:
        sandbox_client.bulk_annotations(updates)
    assert list(refused.value.fields) == ["update.1.confidence"]


@pytest.mark.parametrize("field", FIELDS)
def test_it_reads_a_field_left_out_as_one_that_is_null(field: str) -> None:
    annotation = annotation_calls.get("ann_1")
    without = {key: value for key, value in ANNOTATION.items() if key != field}
    assert parse_response(annotation, reply(without)) == parse_response(
        annotation, reply(ANNOTATION | {field: None})
    )


def test_it_reads_what_a_cleared_field_held_before() -> None:
    prior = {"confidence": None, "reasoning": None, "payload": None, "metadata": None}
    revision = {
        "version": 1,
        "prior": prior,
        "edited_at": None,
        "edited_by": "k",
        "edited_by_type": "api_key",
    }
    record = parse_response(
        annotation_calls.get("ann_1"), reply(ANNOTATION | {"revisions": [revision]})
    )
    assert record.revisions[0].prior == prior
