"""Edit and resend: the form holds the decision, the banner Mixpeek's values; submit replaces."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror.absorb import rebase
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.outbox.models import Change
from tests.collapsed import collapsed
from tests.decisions import decide_by_form
from tests.factories import make_annotation, settle_as_conflict

pytestmark = pytest.mark.django_db

THEIRS = {
    "label": "unclear",
    "confidence": 0.4,
    "reasoning": "Their reason.",
    "payload": {"seen": 2},
}


def _conflict(actor: User, **typed: Any) -> tuple[Annotation, Change]:
    """Return an annotation with a conflict: `actor` typed this, and Mixpeek has THEIRS by now."""
    annotation = make_annotation(
        label="logo", reasoning="The machine's reason.", payload={"seen": 1}
    )
    decision = decide_by_form(annotation, actor, hold=0, **typed)
    change = Change.objects.get(cause=decision.decision_id)
    _change_at_mixpeek(annotation, THEIRS, version=2)
    settle_as_conflict(
        change, theirs=THEIRS, reason="The label was changed at Mixpeek before this was sent."
    )
    rebase(annotation.ref)
    annotation.refresh_from_db()
    return annotation, change


def _change_at_mixpeek(annotation: Annotation, values: dict[str, Any], *, version: int) -> None:
    """Let the mirror hold what somebody else set at Mixpeek."""
    by_a_user = {"version": version, "actor_type": "user"}
    edit = {"edited_by_type": "user", "version": version, "prior": annotation.upstream}
    Annotation.objects.filter(pk=annotation.pk).update(
        upstream=values, revisions=[edit], **by_a_user
    )


def _opened(client: Client, annotation: Annotation, change: Change) -> Any:
    return client.get(reverse("review", args=[annotation.pk]), {"change": change.pk})


def _sent(response: Any, **typed: str) -> dict[str, Any]:
    """Return what a browser sends of the form that was answered, with what is typed into it."""
    hidden = dict(response.context["hidden"])
    visible = {
        name: response.context["data"][name]
        for name in ("choice", "confidence", "reasoning", "payload")
    }
    return hidden | visible | {"outcome": "decided"} | typed


def test_it_shows_what_was_decided_and_what_mixpeek_has(client: Client, alice: User) -> None:
    annotation, change = _conflict(
        alice, choice="fake", label="", confidence="0.9", reasoning="Crooked seam."
    )
    client.force_login(alice)
    response = _opened(client, annotation, change)
    data = response.context["data"]
    assert (data["choice"], data["confidence"], data["reasoning"]) == (
        "fake",
        "0.9",
        "Crooked seam.",
    )
    at_mixpeek = {field.name: field.value for field in response.context["resending"].at_mixpeek}
    assert at_mixpeek["label"] == "unclear"
    assert at_mixpeek["reasoning"] == "Their reason."
    page = collapsed(response)
    assert "Conflict." in page
    assert "<strong>unclear</strong>" in page


def test_it_never_shows_their_reasoning_as_decided(client: Client, alice: User) -> None:
    annotation, change = _conflict(alice, choice="fake", label="", confidence="", reasoning="")
    client.force_login(alice)
    data = _opened(client, annotation, change).context["data"]
    assert (data["choice"], data["confidence"], data["reasoning"]) == ("fake", "", "")


def test_it_leaves_a_payload_that_was_not_decided_to_mixpeek(client: Client, alice: User) -> None:
    annotation, change = _conflict(alice, choice="fake", label="")
    other, corrected = _conflict(alice, choice="fake", label="", payload='{"seen": 3}')
    client.force_login(alice)
    assert '"seen": 2' in _opened(client, annotation, change).context["data"]["payload"]
    assert '"seen": 3' in _opened(client, other, corrected).context["data"]["payload"]


def test_it_replaces_the_conflict_without_asking_about_what_was_shown(
    client: Client, alice: User
) -> None:
    annotation, change = _conflict(alice, choice="fake", label="", reasoning="Crooked seam.")
    client.force_login(alice)
    form = _sent(_opened(client, annotation, change), reasoning="Crooked seam, wrong font.")
    assert client.post(reverse("decide", args=[annotation.pk]), form).status_code == 302
    change.refresh_from_db()
    assert change.state == "withdrawn"
    resent = Change.objects.get(state="queued")
    assert resent.fields["label"] == "fake"
    assert resent.fields["reasoning"] == "Crooked seam, wrong font."
    assert resent.fields["confidence"] is None
    assert (resent.base["label"], resent.base_version) == ("unclear", 2)
    assert Decision.objects.count() == 2


def test_it_asks_about_an_edit_that_is_newer_than_the_banner(client: Client, alice: User) -> None:
    annotation, change = _conflict(alice, choice="fake", label="")
    client.force_login(alice)
    form = _sent(_opened(client, annotation, change))
    _change_at_mixpeek(annotation, {**THEIRS, "label": "genuine"}, version=3)
    rebase(annotation.ref)
    response = client.post(reverse("decide", args=[annotation.pk]), form)
    assert response.status_code == 409
    assert "genuine" in response.content.decode()
    change.refresh_from_db()
    assert change.state == "conflict"
    assert Decision.objects.count() == 1


def test_it_sends_the_same_label_with_only_what_was_given(client: Client, alice: User) -> None:
    annotation, change = _conflict(alice, choice="unclear", label="", reasoning="")
    client.force_login(alice)
    response = _opened(client, annotation, change)
    assert client.post(reverse("decide", args=[annotation.pk]), _sent(response)).status_code == 302
    resent = Change.objects.get(state="queued")
    assert resent.fields["label"] == "unclear"
    assert "payload" not in resent.fields
