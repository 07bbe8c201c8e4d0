"""An item changes while it is open: the page says so once and touches nothing typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.changed_since import base_digest
from reviewapp.annotations.models import Annotation, Decision
from tests.collapsed import collapsed
from tests.decisions import decide_by_form, filled_form
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def item(client: Client, alice: User) -> Annotation:
    """An item that Alice has open."""
    client.force_login(alice)
    return make_annotation(label="van", reasoning="it is a van")


def ask(client: Client, item: Annotation, seen: Annotation | None = None) -> Any:
    address = f"{reverse('news', args=[item.pk])}?seen={base_digest((seen or item).seen())}"
    return client.get(address, headers=HTMX)


def tell(client: Client, item: Annotation, base: Any = None) -> Any:
    sent = json.dumps(item.seen()) if base is None else base
    return client.post(reverse("news", args=[item.pk]), {"base": sent}, headers=HTMX)


def change(item: Annotation, **values: Any) -> None:
    by = {"by": "key_theirs", "by_type": "api_key"}
    edit = {"version": 1, "prior": {"label": "van"}, "edited_at": None} | {
        f"edited_{key}": by[key] for key in by
    }
    Annotation.objects.filter(pk=item.pk).update(version=2, revisions=[edit], **values)


def test_it_costs_little_while_nothing_happens(
    client: Client, item: Annotation, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ask(client, item)
    with django_assert_max_num_queries(7):
        response = ask(client, item)
    assert (response.status_code, response.content) == (204, b"")


def test_it_calls_nothing_news_that_changes_no_value(client: Client, item: Annotation) -> None:
    change(item)
    assert ask(client, item).status_code == 204


def test_it_asks_for_the_base_and_tells_what_changed(client: Client, item: Annotation) -> None:
    change(item, label="<b>lorry</b>")
    response = ask(client, item)
    assert response.status_code == 200
    assert "hx-post" in collapsed(response)
    response = tell(client, item)
    page = collapsed(response)
    message = json.loads(response.headers["HX-Trigger"])["say"]
    assert message.startswith("Another key (key_theirs) has just changed the label.")
    assert '<del class="diff-old" dir="auto">van</del>' in page
    assert "&lt;b&gt;lorry&lt;/b&gt;" in page
    assert "reasoning" not in page
    now = Annotation.objects.get()
    assert base_digest(now.seen()) in page
    assert ask(client, item, seen=now).status_code == 204


def test_it_names_the_colleague_who_decided(client: Client, item: Annotation, bob: User) -> None:
    decide_by_form(item, bob, hold=0, label="lorry", choice="")
    assert "bob has just changed the label, confidence and reasoning" in collapsed(
        tell(client, item)
    )


def test_it_tells_of_a_decision_that_changed_no_value(
    client: Client, item: Annotation, bob: User
) -> None:
    decide_by_form(item, bob, hold=0)
    assert ask(client, item).status_code == 200
    assert "bob has just confirmed the machine&#39;s values" in collapsed(tell(client, item))


def test_it_says_that_it_is_gone(client: Client, item: Annotation) -> None:
    Annotation.objects.update(status=Annotation.Status.GONE)
    assert ask(client, item).status_code == 200
    page = collapsed(tell(client, item))
    assert "data-gone" in page
    assert "hx-get" not in page


@pytest.mark.parametrize("base", ["", "nonsense", "[]", "[" * 100_000, '{"label": {}}'])
def test_it_survives_a_damaged_base(client: Client, item: Annotation, base: str) -> None:
    assert tell(client, item, base).status_code == 200


def catch_up(client: Client, item: Annotation, **typed: Any) -> Any:
    return client.post(
        reverse("catch_up", args=[item.pk]), filled_form(item, **typed), headers=HTMX
    )


def test_it_brings_into_the_form_what_only_they_changed(client: Client, item: Annotation) -> None:
    change(item, label="lorry")
    response = catch_up(client, item, reasoning="what I had typed")
    page = collapsed(response)
    assert response.status_code == 200
    assert "HX-Push-Url" not in response.headers
    assert 'value="lorry" checked' in page
    assert "what I had typed" in page
    assert 'id="stale"' not in page
    assert base_digest(Annotation.objects.get().seen()) in page


def test_it_asks_whose_value_stands_where_both_changed_it(client: Client, item: Annotation) -> None:
    change(item, reasoning="it is large")
    page = collapsed(catch_up(client, item, reasoning="it is small"))
    assert 'name="keep_reasoning"' in page
    assert "it is large" in page
    assert "it is small" in page


@pytest.mark.parametrize(
    "unfinished",
    [{"outcome": "undecidable", "reasoning": ""}, {"choice": "", "label": ""}],
    ids=["can't tell without a reason", "no label"],
)
def test_it_brings_it_into_a_form_that_is_not_finished(
    unfinished: dict[str, str], client: Client, item: Annotation
) -> None:
    change(item, confidence=0.75)

    response = catch_up(client, item, **unfinished)

    assert response.status_code == 200
    assert base_digest(Annotation.objects.get().seen()) in response.content.decode()
    assert not Decision.objects.exists()


def test_it_changes_nothing_by_itself(client: Client, item: Annotation) -> None:
    change(item, label="lorry")
    before = Annotation.objects.values().get()
    catch_up(client, item, label="bus")
    assert Annotation.objects.values().get() == before


def test_it_says_first_what_is_wrong_in_the_form(client: Client, item: Annotation) -> None:
    change(item, label="lorry")
    response = catch_up(client, item, confidence="much")
    assert response.status_code == 422
    assert "much" in collapsed(response)


@pytest.mark.parametrize("name", ["news", "catch_up"])
def test_it_knows_no_other_item(client: Client, item: Annotation, name: str) -> None:
    assert client.post(reverse(name, args=[item.pk + 1])).status_code == 404
