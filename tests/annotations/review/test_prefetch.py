"""A look at the pictures of the next item: the right ones, and nothing is held for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Lease
from reviewapp.retrievers.models import Retriever
from tests.factories import make_annotation, make_lease, make_result, make_set_aside

pytestmark = pytest.mark.django_db


def file(name: str, **more: Any) -> dict[str, Any]:
    return {"url": f"https://files.example.com/{name}", "field": name, **more}


def item(retriever: Retriever, confidence: float, *files: dict[str, Any]) -> Annotation:
    snapshot = {"title": "Van", "document_blobs": list(files)}
    result = make_result(retriever, snapshot=snapshot)
    return make_annotation(
        retriever, document_id=result.document_id, result=result, confidence=confidence
    )


def pictures(client: Client, after: object, **filters: Any) -> list[str]:
    response = client.get(reverse("ahead"), {"after": after, **filters})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    addresses: list[str] = response.json()["pictures"]
    return addresses


def test_it_names_the_pictures_of_the_next_and_holds_nothing(
    client: Client, alice: User, retriever: Retriever
) -> None:
    first = item(retriever, 0.1)
    second = item(retriever, 0.2, file("a.png"), file("clip.mp4"), file("b.jpg"))
    client.force_login(alice)
    addresses = pictures(client, first.pk)
    assert addresses
    assert all(
        address.startswith(f"/documents/{second.document_id}/media/") for address in addresses
    )
    markup = client.get(reverse("review", args=[second.pk])).content.decode()
    assert all(f'src="{address}"' in markup for address in addresses)
    Lease.objects.all().delete()
    pictures(client, first.pk)
    assert not Lease.objects.exists()


def test_it_passes_over_what_this_person_would_not_be_given(
    client: Client, alice: User, bob: User, retriever: Retriever
) -> None:
    first = item(retriever, 0.1)
    make_lease(item(retriever, 0.2, file("held.png")), bob)
    make_set_aside(item(retriever, 0.3, file("aside.png")), alice)
    next_item = item(retriever, 0.4, file("given.png"))
    client.force_login(alice)
    (address,) = pictures(client, first.pk)
    assert address.startswith(f"/documents/{next_item.document_id}/media/")


def test_it_says_nothing_of_items_without_pictures_at_the_end_or_of_a_search(
    client: Client, alice: User, retriever: Retriever
) -> None:
    first, last = item(retriever, 0.1), item(retriever, 0.2)
    client.force_login(alice)
    for after in (first.pk, last.pk, 10**9, "x", ""):
        assert pictures(client, after) == []
    item(retriever, 0.3, file("a.png"))
    assert pictures(client, last.pk, q="van") == []


def test_it_names_no_more_than_a_few(client: Client, alice: User, retriever: Retriever) -> None:
    first = item(retriever, 0.1)
    item(retriever, 0.2, *(file(f"{number}.png") for number in range(9)))
    client.force_login(alice)
    assert len(pictures(client, first.pk)) == 3
