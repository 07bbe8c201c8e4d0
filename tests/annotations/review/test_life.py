"""The life of an item on one page, and two of its versions side by side."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from tests.decisions import decide, queue_decision
from tests.factories import make_annotation, make_execution, make_result, settle_as_delivered

pytestmark = pytest.mark.django_db


@pytest.fixture
def item() -> Annotation:
    execution = make_execution()
    result = make_result(execution.retriever, execution=execution, rank=4)
    return make_annotation(
        execution.retriever,
        title="Van 7",
        label="logo",
        result=result,
        document_id=result.document_id,
        execution_id=execution.execution_id,
        reasoning="round shape",
    )


def address(item: Annotation) -> str:
    return reverse("life", args=[item.pk])


def test_it_tells_everything_in_order(item: Annotation, alice: User, alice_client: Client) -> None:
    settle_as_delivered(queue_decision(item, alice, label="fake"), version=2)
    decide(item, alice, label="real")

    page = alice_client.get(address(item)).text

    parts = [
        "Found by",
        "rank 4",
        "The machine proposed",
        "confidence 0.5",
        "recorded a new annotation",
        "relabelled “logo” to “fake”",
        "delivered a change",
        "relabelled “fake” to “real”",
    ]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


def test_it_compares_the_first_and_the_last_version(
    item: Annotation, alice: User, alice_client: Client
) -> None:
    decide(item, alice, label="fake")
    decide(item, alice, label="real")

    context = alice_client.get(address(item)).context

    assert [version.number for version in context["versions"]] == [3, 2, 1]
    assert [version.is_delivered for version in context["versions"]] == [False, False, True]
    label = context["compared"].fields[0]
    assert (label.title, label.left, label.right, label.is_same) == ("Label", "logo", "real", False)


def test_it_compares_any_two_versions(item: Annotation, alice: User, alice_client: Client) -> None:
    decide(item, alice, label="fake")
    decide(item, alice, label="real")

    compared = alice_client.get(address(item), {"left": 2, "right": 3}).context["compared"]
    assert (compared.fields[0].left, compared.fields[0].right) == ("fake", "real")
    assert compared.fields[3].is_same

    unknown = alice_client.get(address(item), {"left": 2, "right": 99})
    assert "This version is not known here." in unknown.text
    assert alice_client.get(address(item), {"left": "x"}).status_code == 200


def test_it_pages_by_key(item: Annotation, alice_client: Client) -> None:
    for number in range(130):
        Annotation.objects.filter(pk=item.pk).update(label=f"label {number}")

    first = alice_client.get(address(item))
    second = alice_client.get(first.context["pager"].after)

    assert len(first.context["entries"]) == 100
    assert len(second.context["entries"]) == 31
    assert "Found by" in first.text
    assert "Found by" not in second.text


def test_the_item_and_its_decisions_lead_there(
    item: Annotation, alice: User, alice_client: Client
) -> None:
    decision = decide(item, alice, label="fake")
    for name, key in (("review", item.pk), ("decision", decision.pk)):
        assert f'href="{address(item)}"' in alice_client.get(reverse(name, args=[key])).text


def test_it_is_unknown_without_an_item(alice_client: Client) -> None:
    assert alice_client.get("/annotations/999999/life").status_code == 404
