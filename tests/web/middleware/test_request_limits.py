"""A long filter or selection works up to 16 KiB of address; beyond, a page says what to do."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.annotations.models import SetAside
from tests.factories import make_annotation, make_retriever

pytestmark = pytest.mark.django_db
TOO_LONG = "Your filter or selection does not fit"


def test_it_says_that_an_address_is_too_long(alice_client: Client, client: Client) -> None:
    for anybody in (alice_client, client):
        page = anybody.get(f"/annotations?q={'x' * 17_000}")
        assert page.status_code == 414
        assert TOO_LONG in page.content.decode()


def test_it_says_so_to_scripts_as_json(client: Client) -> None:
    response = client.get(f"/api/v1/annotations?label={'x' * 17_000}")
    assert response.status_code == 414
    assert response.json()["error"]["message"] == "The address is longer than 16 KiB."


def test_it_takes_six_hundred_selected_retrievers(adam_client: Client) -> None:
    retriever = make_retriever()
    keys = [str(1_000_000 + number) for number in range(600)]
    page = adam_client.get(reverse("retrievers"), {"pk": [str(retriever.pk), *keys]})
    assert page.status_code == 200
    assert "1 selected" in page.content.decode()


def test_it_comes_back_after_signing_in_without_encoding_twice(client: Client) -> None:
    address = f"/annotations?q={quote('größer 手')}"
    redirect = client.get(address).headers["Location"]
    assert "%25" not in redirect.replace("%2520", "")
    assert client.get(redirect).status_code == 200


def test_it_leaves_out_a_filter_that_is_too_long_to_come_back_to(client: Client) -> None:
    redirect = client.get(f"/annotations?q={'&' * 15_000}").headers["Location"]
    assert redirect == "/accounts/login/?next=%2Fannotations"


@pytest.mark.parametrize(
    ("charset", "status"), [("utf-7", 400), ("utf-16", 400), ("UTF8", 302), ("unknown", 302)]
)
def test_it_takes_forms_in_utf_8_alone(alice_client: Client, charset: str, status: int) -> None:
    """In UTF-7, `+2AA-` is half of a surrogate pair, which PostgreSQL cannot store."""
    item = make_annotation()
    part = b'--B\r\nContent-Disposition: form-data; name="reason"\r\n\r\n+2AA-\r\n--B--\r\n'
    response = alice_client.generic(
        "POST",
        reverse("skip", args=[item.pk]),
        part,
        content_type=f"multipart/form-data; boundary=B; charset={charset}",
    )
    assert response.status_code == status
    reasons = list(SetAside.objects.values_list("reason", flat=True))
    assert reasons == (["+2AA-"] if status == 302 else [])
