"""An open page learns with its next poll that delivery stopped, or that it resumed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.changed_since import base_digest
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Pause
from reviewapp.outbox.status.health import delivery_health
from tests.decisions import filled_form
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db
GONE, SAID = "No worker is running.", 'hx-swap-oob="true"'


@pytest.fixture
def item(client: Client, alice: User) -> Annotation:
    client.force_login(alice)
    return make_annotation(label="van")


def ask(client: Client, item: Annotation, shown: str | None) -> Any:
    return client.get(
        f"{reverse('news', args=[item.pk])}?seen={base_digest(item.seen())}", headers=_htmx(shown)
    )


def beat() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (clock_timestamp())"
        )


def _htmx(shown: str | None) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Current-URL": "http://testserver/annotations/7?show=all"} | (
        {} if shown is None else {"X-Standing": shown}
    )


def test_it_comes_with_the_news_and_goes_with_them(client: Client, item: Annotation) -> None:
    response = ask(client, item, "")
    assert (response.status_code, response.headers["HX-Reswap"]) == (200, "none")
    assert SAID in response.content.decode()
    assert GONE in response.content.decode()
    told = re.findall(r'data-told="([^"]*)"', response.content.decode())
    assert told == ["no worker"]
    assert ask(client, item, told[0]).status_code == 204
    beat()
    response = ask(client, item, told[0])
    assert SAID in response.content.decode()
    assert GONE not in response.content.decode()
    assert ask(client, item, "").status_code == 204


def test_it_tells_one_pause_from_the_next(client: Client, item: Annotation) -> None:
    beat()
    first = Pause.objects.create(reason="The key <sk> is refused.")
    told = delivery_health().banner_state
    assert "The key &lt;sk&gt; is refused." in ask(client, item, "").content.decode()
    assert ask(client, item, told).status_code == 204
    first.delete()
    Pause.objects.create(reason="Another")
    assert "Another" in ask(client, item, told).content.decode()


def test_it_leads_back_to_the_page_that_is_open(
    client: Client, item: Annotation, adam: User
) -> None:
    client.force_login(adam)
    Pause.objects.create(reason="The key is refused.")
    assert 'name="next" value="/annotations/7?show=all"' in ask(client, item, "").content.decode()


def test_it_costs_one_query_at_most(
    client: Client, item: Annotation, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ask(client, item, None)
    seen: list[str] = []
    with connection.execute_wrapper(_counted(seen)):
        ask(client, item, None)
    with django_assert_max_num_queries(len(seen) + 1):
        ask(client, item, "")


def _counted(seen: list[str]) -> Any:
    def count(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    return count


def test_it_comes_with_the_item_also_when_the_form_is_shown_again(
    client: Client, item: Annotation
) -> None:
    address = reverse("review", args=[item.pk])
    for shown, comes in (("", True), ("no worker", False), (None, False)):
        assert (SAID in client.get(address, headers=_htmx(shown)).content.decode()) is comes
    refused = client.post(
        reverse("decide", args=[item.pk]), filled_form(item, confidence="7"), headers=_htmx("")
    )
    assert refused.status_code == 422
    assert SAID in refused.content.decode()


def test_it_comes_with_the_figures_of_the_deliveries(client: Client, item: Annotation) -> None:
    address = reverse("delivery_figures")
    assert SAID in client.get(address, headers=_htmx("")).content.decode()
    assert SAID not in client.get(address, headers=_htmx("no worker")).content.decode()


def test_it_stays_out_of_whole_pages(client: Client, item: Annotation) -> None:
    page = client.get(
        reverse("review", args=[item.pk]), headers={"X-Standing": ""}
    ).content.decode()
    assert page.count('id="pause"') == 1
    assert SAID not in page
