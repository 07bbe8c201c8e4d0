"""What a retriever's decision form starts from, and what a decision must say besides its label."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.exceptions import RequiredFieldsMissing
from reviewapp.annotations.decide.forms import initial_data
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.audit.models import Event
from reviewapp.retrievers.guidance.form_settings import FormSettings, Required, StartsFrom
from reviewapp.retrievers.guidance.services import set_labels
from reviewapp.retrievers.models import LabelSet, Retriever
from tests.collapsed import collapsed
from tests.decisions import decide, decide_by_form, post_decision
from tests.factories import LONG_AGO, make_annotation

pytestmark = pytest.mark.django_db

WHEN_RELABELLED = "This retriever requires a reasoning when you change the label."


def put(
    retriever: Retriever, adam: User, base_version: int = 0, **settings: Any
) -> LabelSet | None:
    """Set a label set without labels and with these settings."""
    return set_labels(
        retriever.pk,
        [],
        other_allowed=True,
        base_version=base_version,
        actor=adam,
        settings=FormSettings(**settings),
    )


@pytest.mark.parametrize(
    ("when", "relabels", "reasoning", "is_missing"),
    [
        (Required.NEVER, True, "", False),
        (Required.RELABELLED, False, "", False),
        (Required.RELABELLED, True, " \n", True),
        (Required.RELABELLED, True, "seen", False),
        (Required.ALWAYS, False, "", True),
        (Required.ALWAYS, False, "seen", False),
    ],
)
def test_it_knows_when_a_reasoning_is_missing(
    when: Required, relabels: bool, reasoning: str, is_missing: bool
) -> None:
    settings = FormSettings(reasoning_required=when)
    missing = settings.missing_words(
        {"reasoning": reasoning, "confidence": None}, relabels=relabels
    )
    assert ("reasoning" in missing) is is_missing


def test_it_takes_a_confidence_of_zero_as_given() -> None:
    settings = FormSettings(confidence_required=Required.ALWAYS)
    assert settings.missing_words({"reasoning": "", "confidence": 0.0}, relabels=False) == {}
    assert list(settings.missing_words({"reasoning": "", "confidence": None}, relabels=False)) == [
        "confidence"
    ]


def test_it_refuses_a_relabel_without_the_reasoning_that_is_required(
    retriever: Retriever, adam: User, alice: User
) -> None:
    put(retriever, adam, reasoning_required=Required.RELABELLED)
    annotation = make_annotation(retriever, label="logo", reasoning="the machine's")
    with pytest.raises(RequiredFieldsMissing) as refused:
        decide(annotation, alice, label="other")
    assert refused.value.errors == {"reasoning": WHEN_RELABELLED}
    assert not Decision.objects.exists()

    decide(annotation, alice)
    decide(annotation, alice, label="other", reasoning="seen")
    assert Decision.objects.count() == 2


def test_it_lets_the_first_label_pass_as_no_change(
    retriever: Retriever, adam: User, alice: User
) -> None:
    put(retriever, adam, reasoning_required=Required.RELABELLED)
    annotation = make_annotation(retriever, label="", annotation_id=None, proposed={})
    assert decide(annotation, alice, label="logo").label == "logo"


def test_it_says_at_the_fields_what_is_missing_and_keeps_what_was_typed(
    client: Client, retriever: Retriever, adam: User, alice: User
) -> None:
    put(retriever, adam, reasoning_required=Required.ALWAYS, confidence_required=Required.ALWAYS)
    annotation = make_annotation(retriever, reasoning="the machine's")
    client.force_login(alice)
    page = post_decision(client, annotation, choice=annotation.label, payload='{"typed": 1}')
    assert page.status_code == 422
    assert page.context["errors"] == {
        "reasoning": ["This retriever requires a reasoning."],
        "confidence": ["This retriever requires a confidence."],
    }
    assert "typed" in page.context["data"]["payload"]
    assert 'id="reasoning-error"' in page.content.decode()
    assert not Decision.objects.exists()
    assert post_decision(client, annotation, reasoning="seen", confidence="0").status_code == 302


def test_it_says_beforehand_what_is_required(
    client: Client, retriever: Retriever, adam: User, alice: User
) -> None:
    annotation = make_annotation(retriever)
    client.force_login(alice)
    address = reverse("review", args=[annotation.pk])
    assert "0 to 1, optional" in client.get(address).content.decode()

    put(
        retriever, adam, reasoning_required=Required.RELABELLED, confidence_required=Required.ALWAYS
    )
    page = client.get(address).content.decode()
    assert "0 to 1, required<" in page
    assert ">required when relabelled<" in page


def test_it_requires_nothing_of_who_cannot_tell(
    retriever: Retriever, adam: User, alice: User
) -> None:
    put(retriever, adam, confidence_required=Required.ALWAYS)
    decision = decide_by_form(
        make_annotation(retriever), alice, outcome="undecidable", reasoning="Too dark."
    )
    assert decision.outcome == Decision.Outcome.UNDECIDABLE


def test_it_starts_with_nothing_chosen_until_somebody_decided(
    client: Client, retriever: Retriever, adam: User, alice: User
) -> None:
    put(retriever, adam, starts_from=StartsFrom.NOTHING)
    annotation = make_annotation(retriever, label="logo")
    client.force_login(alice)
    page = client.get(reverse("review", args=[annotation.pk]))
    assert [(button.label, button.chosen) for button in page.context["buttons"]] == [
        ("logo", False)
    ]
    assert page.context["item"].machine["label"] == "logo"
    annotation = Annotation.objects.get(pk=annotation.pk)
    assert post_decision(client, annotation).status_code == 422

    assert post_decision(client, annotation, choice="logo").status_code == 302
    decided = Annotation.objects.get(pk=annotation.pk)
    assert initial_data(decided, now=LONG_AGO)["choice"] == "logo"


def test_it_is_saved_in_the_editor_and_told_in_words(
    adam_client: Client, retriever: Retriever
) -> None:
    address = reverse("label_set", args=[retriever.pk])
    sent = {
        "base_version": "0",
        "other_allowed": "yes",
        "starts_from": "nothing",
        "reasoning_required": "relabelled",
    }
    page = adam_client.post(address, sent | {"act": "add"})
    assert page.context["form"].settings.starts_from == StartsFrom.NOTHING
    assert adam_client.post(address, sent | {"confidence_required": "bogus"}).status_code == 302
    label_set = LabelSet.objects.get()
    assert (label_set.starts_from, label_set.reasoning_required, label_set.confidence_required) == (
        "nothing",
        "relabelled",
        "never",
    )
    assert '<option value="relabelled" selected>' in adam_client.get(address).content.decode()
    assert "Reasoning is required when relabelled." in collapsed(
        adam_client.get(reverse("retriever", args=[retriever.pk]))
    )
    event = Event.objects.about(retriever.ref)[0]
    assert event.changes["starts_from"] == [None, "nothing"]


def test_it_is_restored_with_its_version(
    adam_client: Client, retriever: Retriever, adam: User
) -> None:
    put(retriever, adam, starts_from=StartsFrom.NOTHING, confidence_required=Required.ALWAYS)
    put(retriever, adam, base_version=1)
    page = adam_client.get(reverse("label_set_version", args=[retriever.pk, 1]))
    assert {(diff.name, diff.old, diff.new) for diff in page.context["diffs"]} == {
        ("the form starts from", "the machine's label", "nothing chosen"),
        ("confidence is required", "never", "always"),
    }
    for field in (
        'name="starts_from" value="nothing"',
        'name="confidence_required" value="always"',
    ):
        assert field in page.content.decode()
