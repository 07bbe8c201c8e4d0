"""A label that nobody has used is asked about before it exists: by the page, not by the API."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.label_use import is_new_label
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.api.annotations import write
from reviewapp.retrievers.models import LabelSet
from tests.collapsed import collapsed
from tests.decisions import filled_form
from tests.factories import make_annotation, make_retriever

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(client: Client, alice: User) -> Annotation:
    client.force_login(alice)
    return make_annotation(label="logo")


def submit(client: Client, item: Annotation, **typed: Any) -> Any:
    return client.post(
        reverse("decide", args=[item.pk]), filled_form(item, **{"new_label": ""} | typed)
    )


@pytest.mark.parametrize(
    "typed", [{"label": "1"}, {"label": "7", "choice": ""}, {"label": "fake"}, {"choice": "fake"}]
)
def test_it_asks_before_it_creates_a_label(
    client: Client, item: Annotation, typed: dict[str, str]
) -> None:
    refused = submit(client, item, **typed, reasoning="Mine.")
    label = typed.get("label") or typed["choice"]
    assert refused.status_code == 422
    assert f"New label “{label}”?" in collapsed(refused)
    assert f'name="new_label" value="{label}"' in collapsed(refused)
    assert refused.context["data"]["reasoning"] == "Mine."
    assert not Decision.objects.exists()

    again = submit(client, item, **typed)
    assert again.status_code == 422
    created = submit(client, item, **typed, new_label=label)
    assert created.status_code == 302
    assert Decision.objects.get().label == label


def test_it_says_to_who_typed_a_digit_how_to_press_the_key(
    client: Client, item: Annotation
) -> None:
    assert "If you meant the key 1, clear this field" in collapsed(submit(client, item, label="1"))
    assert "If you meant the key" not in collapsed(submit(client, item, label="12"))


def test_it_creates_no_other_label_than_the_one_that_was_asked_about(
    client: Client, item: Annotation
) -> None:
    refused = submit(client, item, label="fakes", new_label="fake")
    assert refused.status_code == 422
    assert "New label “fakes”?" in collapsed(refused)
    assert not Decision.objects.exists()


def test_it_does_not_ask_again_while_something_else_is_wrong(
    client: Client, item: Annotation
) -> None:
    refused = submit(client, item, label="fake", new_label="fake", confidence="high")
    assert refused.status_code == 422
    assert "New label" not in collapsed(refused)
    again = {**refused.context["data"], "confidence": "0.9"}
    assert client.post(reverse("decide", args=[item.pk]), again).status_code == 302


def test_it_does_not_ask_about_a_label_in_use(client: Client, item: Annotation) -> None:
    make_annotation(item.retriever, label="fake")
    assert submit(client, item, label="fake").status_code == 302


def test_it_asks_about_a_label_that_another_retriever_uses(
    client: Client, item: Annotation
) -> None:
    make_annotation(make_retriever(), label="fake")
    assert submit(client, item, label="fake").status_code == 422


def test_it_knows_what_was_said_of_the_item_before(client: Client, item: Annotation) -> None:
    for label, asked in (("fake", True), ("logo", False), ("fake", False)):
        item.refresh_from_db()
        assert is_new_label(item, label) is asked
        assert (
            submit(client, item, label=label, new_label=label if asked else "").status_code == 302
        )


def test_it_does_not_ask_about_a_label_of_an_open_set_and_refuses_others_of_a_closed_one(
    client: Client, item: Annotation, adam: User
) -> None:
    rows = [{"value": "fake", "title": "", "description": "", "colour": "none"}]
    retriever = item.retriever
    assert retriever is not None
    for other_allowed in (True, False):
        version = 1 + (not other_allowed)
        values = {"retriever": retriever, "version": version, "labels": rows, "created_by": adam}
        retriever.label_set = LabelSet.objects.create(**values, other_allowed=other_allowed)
        retriever.save()
        other = submit(client, make_annotation(retriever), label="van")
        assert other.status_code == 422
        assert ("New label “van”?" in collapsed(other)) is other_allowed
        assert submit(client, make_annotation(retriever), label="fake").status_code == 302


def test_it_asks_nothing_of_who_cannot_tell(client: Client, item: Annotation) -> None:
    assert (
        submit(client, item, label="1", outcome="undecidable", reasoning="Too dark.").status_code
        == 302
    )


def test_it_tells_a_script_that_sends_what_had_waited(client: Client, item: Annotation) -> None:
    data = filled_form(item, label="1", new_label="")
    answer = client.post(
        reverse("decide", args=[item.pk]), data, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 422
    assert json.loads(answer.content)["why"].startswith("New label “1”?")


def test_it_looks_in_two_indexes_at_most(
    item: Annotation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        assert is_new_label(item, "fake")
    with django_assert_num_queries(0):
        assert not is_new_label(item, "logo")


def test_it_lets_scripts_create_labels_as_mixpeek_does(item: Annotation, alice: User) -> None:
    named = item.annotation_id or ""
    changed, _ = write.patch_annotation(
        named, {"label": "1"}, if_match="", decision_id=uuid.uuid4(), actor=alice
    )
    assert changed.state.values["label"] == "1"
