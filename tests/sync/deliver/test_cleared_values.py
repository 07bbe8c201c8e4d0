"""A relabel clears the machine's confidence and reasoning, whatever Mixpeek does with null."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.value_authorship import given_by_people
from reviewapp.audit.models import Event
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import drain
from reviewapp.sync.models import NullSupport
from tests.decisions import decide_by_form
from tests.sandbox_data import document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes
from tools.sandbox.dialect import OLD

pytestmark = pytest.mark.django_db
MODES = ["clear", "ignore", "refuse"]
STAMP_REFUSED = {
    "loc": ["body", "metadata"],
    "msg": "Extra inputs are not permitted",
    "type": "extra_forbidden",
}


@pytest.fixture
def proposal(mixpeek_client: Client, mirrored_retriever: Retriever) -> Annotation:
    """What the machine proposed, with its confidence and its reasoning."""
    record = mixpeek_client.create_annotation(
        document_id="doc_7",
        label="unclear",
        confidence=0.31,
        reasoning="too blurred",
        retriever_id="ret_logos",
    )
    absorb.absorb([record])
    return Annotation.objects.get(annotation_id=record.annotation_id)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, box: Box) -> str:
    """What the sandbox does with a null."""
    box.null(request.param)
    return str(request.param)


def relabel(annotation: Annotation, actor: User, **typed: str) -> Change:
    decision = decide_by_form(annotation, actor, hold=0, choice="counterfeit", **typed)
    return Change.objects.get(cause=decision.decision_id)


def there(box: Box, annotation: Annotation) -> dict[str, object]:
    record: dict[str, object] = box.call(
        "GET", f"/v1/annotations/{annotation.annotation_id}"
    ).json()
    return record


def test_it_delivers_the_persons_own_words(
    box: Box, mixpeek_client: Client, proposal: Annotation, alice: User, mode: str
) -> None:
    change = relabel(proposal, alice)
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    proposal.refresh_from_db()
    record = there(box, proposal)

    assert (change.state, record["label"], record["reasoning"] or "") == (
        "delivered",
        "counterfeit",
        "",
    )
    assert record["confidence"] == (None if mode == "clear" else 0.31)
    # Whatever Mixpeek still shows, here nobody claims a confidence.
    assert (proposal.confidence, proposal.reasoning) == (None, "")
    assert proposal.uncleared == ({} if mode == "clear" else {"confidence": 0.31})
    assert change.uncleared == (None if mode == "clear" else {"confidence": 0.31})
    assert given_by_people(proposal, proposal.changes) == set()


def test_it_says_in_the_history_what_mixpeek_still_shows(
    box: Box, mixpeek_client: Client, proposal: Annotation, alice: User
) -> None:
    box.null("ignore")
    relabel(proposal, alice)
    drain.drain(mixpeek_client)
    event = Event.objects.get(action="change.delivered")
    assert event.changes["uncleared"] == [None, {"confidence": 0.31}]


def test_it_stays_the_machines_through_a_pull_and_a_later_decision(
    box: Box, mixpeek_client: Client, proposal: Annotation, alice: User, bob: User, mode: str
) -> None:
    relabel(proposal, alice)
    drain.drain(mixpeek_client)
    absorb.absorb([mixpeek_client.get_annotation(str(proposal.annotation_id))])
    proposal.refresh_from_db()
    assert proposal.confidence is None

    second = decide_by_form(proposal, bob, hold=0, choice="genuine", confidence="0.9")
    drain.drain(mixpeek_client)
    proposal.refresh_from_db()
    assert Change.objects.get(cause=second.decision_id).state == "delivered"
    assert there(box, proposal)["confidence"] == 0.9
    annotation = Annotation.objects.get(pk=proposal.pk)
    assert (annotation.confidence, annotation.uncleared) == (0.9, {})


def test_it_takes_a_new_value_at_mixpeek_for_what_it_is(
    box: Box, mixpeek_client: Client, proposal: Annotation, alice: User
) -> None:
    box.null("ignore")
    relabel(proposal, alice)
    drain.drain(mixpeek_client)
    box.call("PATCH", f"/v1/annotations/{proposal.annotation_id}", json={"confidence": 0.7})
    absorb.absorb([mixpeek_client.get_annotation(str(proposal.annotation_id))])
    proposal.refresh_from_db()
    assert (proposal.confidence, proposal.uncleared) == (0.7, {})


@pytest.mark.parametrize(
    ("mode", "kept"), [("clear", "clears"), ("ignore", "ignores"), ("refuse", "refuses")]
)
def test_it_remembers_what_the_server_does_with_a_null(
    box: Box, mixpeek_client: Client, proposal: Annotation, alice: User, mode: str, kept: str
) -> None:
    box.null(mode)
    relabel(proposal, alice)
    drain.drain(mixpeek_client)
    assert NullSupport.objects.get().mode == kept


@pytest.mark.parametrize("mode", ["ignore", "refuse"])
def test_it_does_not_send_a_null_again_where_it_was_in_vain(
    box: Box,
    mixpeek_client: Client,
    proposal: Annotation,
    alice: User,
    mirrored_retriever: Retriever,
    mode: str,
) -> None:
    box.null(mode)
    relabel(proposal, alice)
    drain.drain(mixpeek_client)
    record = mixpeek_client.create_annotation(
        document_id="doc_8", label="unclear", confidence=0.31, retriever_id="ret_logos"
    )
    absorb.absorb([record])
    box.clear()
    box.null(mode)

    other = Annotation.objects.get(annotation_id=record.annotation_id)
    change = relabel(other, alice)
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    other.refresh_from_db()
    (patch,) = box.received(method="PATCH")
    assert "confidence" not in patch["body"]
    assert (change.state, change.uncleared, other.confidence) == (
        "delivered",
        {"confidence": 0.31},
        None,
    )


def test_it_leaves_the_machines_words_to_a_confirmation(
    box: Box, mixpeek_client: Client, proposal: Annotation, alice: User
) -> None:
    decision = decide_by_form(proposal, alice, hold=0)
    drain.drain(mixpeek_client)
    record = there(box, proposal)
    proposal.refresh_from_db()
    assert (record["label"], record["confidence"], record["reasoning"]) == (
        "unclear",
        0.31,
        "too blurred",
    )
    assert (decision.confidence, decision.reasoning) == (None, "")
    assert (proposal.confidence, proposal.reasoning) == (0.31, "too blurred")


def test_it_sends_what_the_person_took_over(
    box: Box, mixpeek_client: Client, proposal: Annotation, alice: User, settings: Settings
) -> None:
    settings.MIXPEEK_WHO = "metadata"
    change = relabel(proposal, alice, reasoning="too blurred", confidence="0.8")
    drain.drain(mixpeek_client)
    record = there(box, proposal)
    assert (record["confidence"], record["reasoning"]) == (0.8, "too blurred")
    proposal = Annotation.objects.get(pk=proposal.pk)
    assert given_by_people(proposal, proposal.changes) == {"confidence", "reasoning"}
    assert change.fields["reasoning"] == "too blurred"


@pytest.mark.parametrize("is_known", [False, True])
def test_it_is_delivered_where_the_stamp_is_refused_as_well(
    is_known: bool,
    box: Box,
    mixpeek_client: Client,
    proposal: Annotation,
    alice: User,
    settings: Settings,
) -> None:
    settings.MIXPEEK_WHO = "metadata"
    box.null("refuse")
    if is_known:
        NullSupport.objects.create(
            server=settings.MIXPEEK_BASE_URL,
            mode=NullSupport.Mode.REFUSES,
            learnt_at=timezone.now(),
        )
    box.faults([{"method": "PATCH", "status": 422, "body": {"detail": [STAMP_REFUSED]}}])

    change = relabel(proposal, alice)
    drain.drain(mixpeek_client)

    change.refresh_from_db()
    assert change.progress == "Delivered v2 without author"
    assert there(box, proposal)["label"] == "counterfeit"


@pytest.fixture
def old_box(tmp_path: Path, sandboxes: SharedSandboxes) -> Box:
    """A sandbox of the older dialect."""
    folder = write_data_folder(
        tmp_path, retrievers=[retriever_json()], documents=[document_json(1)]
    )
    return sandboxes.namespace(folder, dialect=OLD)


@pytest.mark.parametrize("mode", MODES)
def test_it_clears_in_the_old_dialect_too(
    old_box: Box, mirrored_retriever: Retriever, alice: User, mode: str
) -> None:
    old_box.null(mode)
    with Client(
        base_url=old_box.url, api_key=old_box.key, namespace=old_box.namespace
    ) as mixpeek_client:
        record = mixpeek_client.create_annotation(
            document_id="doc_00001",
            label="unclear",
            confidence=0.31,
            reasoning="too blurred",
            retriever_id="ret_vans",
        )
        absorb.absorb([record])
        annotation = Annotation.objects.get(annotation_id=record.annotation_id)
        change = relabel(annotation, alice)
        drain.drain(mixpeek_client)

    change.refresh_from_db()
    shown = there(old_box, annotation)
    assert (change.state, shown["label"], shown["reasoning"] or "") == (
        "delivered",
        "counterfeit",
        "",
    )
    kept = None if mode == "clear" else {"confidence": 0.31}
    assert shown["confidence"] == (kept or {}).get("confidence")
    assert change.uncleared == kept
