"""Pages are compressed, except those that show a secret."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
from django.test import Client

from reviewapp.accounts.models import User
from tests.accounts.totp import code
from tests.collapsed import collapsed
from tests.factories import make_annotation
from tests.people import PASSWORD, sign_in_with_password

pytestmark = pytest.mark.django_db

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w{64})"')
SECRET = re.compile(r"rvw_[\w-]{43}")
LINK = re.compile(r"http://testserver(/(?:join|new-password)/[\w-]{43})")


def get_compressed(client: Client, address: str) -> Any:
    """Request a page as a browser does."""
    return client.get(address, headers={"accept-encoding": "gzip, deflate, br"})


def is_plain(response: Any) -> bool:
    """Return whether a page is not compressed here and may not be on its way."""
    no_store = {"private", "no-store", "no-transform"}
    assert response.status_code == 200
    assert no_store <= set(re.split(r",\s*", response["Cache-Control"]))
    return "Content-Encoding" not in response


def test_it_compresses_the_review_page(alice_client: Client) -> None:
    item = make_annotation(reasoning="The emblem is a copy.")
    address = f"/annotations/{item.pk}"
    plain = alice_client.get(address)

    response = get_compressed(alice_client, address)

    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"]
    assert int(response["Content-Length"]) == len(response.content)
    assert len(response.content) < len(plain.content) / 3
    assert b"The emblem is a copy." in gzip.decompress(response.content)
    assert "Content-Encoding" not in plain
    assert "Accept-Encoding" in plain["Vary"]


def test_it_compresses_what_htmx_swaps(alice_client: Client) -> None:
    for number in range(20):
        make_annotation(title=f"Item {number}")
    headers = {"accept-encoding": "gzip", "hx-request": "true", "hx-target": "queue"}
    response = alice_client.get("/annotations", headers=headers)
    assert response["Content-Encoding"] == "gzip"


def test_it_masks_the_csrf_token_anew_in_each_response(alice_client: Client) -> None:
    pages = [get_compressed(alice_client, "/annotations").content for _ in range(2)]
    first, second = (set(TOKEN.findall(gzip.decompress(page).decode())) for page in pages)
    assert first
    assert not first & second


def test_it_blurs_the_size() -> None:
    address = "/accounts/login/"
    sizes = {len(get_compressed(Client(), address).content) for _ in range(20)}
    assert max(sizes) - min(sizes) > 10


def test_it_compresses_nothing_but_pages(alice_client: Client, adam_client: Client) -> None:
    assert "Content-Encoding" not in get_compressed(alice_client, "/accounts/who")
    assert "Content-Encoding" not in get_compressed(adam_client, "/api/v1/openapi.json")


def test_it_compresses_no_page_that_shows_a_new_token(alice_client: Client) -> None:
    form = {"name": "nightly", "scope": "decide", "days": "30"}
    form_id = re.search(
        r'name="form_id" value="([\w-]{36})"', collapsed(alice_client.get("/tokens"))
    )
    assert form_id
    made = alice_client.post("/tokens", form | {"form_id": form_id[1]})

    response = get_compressed(alice_client, made["Location"])

    assert is_plain(response)
    assert SECRET.search(response.content.decode())


@pytest.mark.parametrize("kind", ["invitation", "password"])
def test_it_compresses_no_page_that_shows_a_link(
    adam_client: Client, alice: User, client: Client, kind: str
) -> None:
    address = "/people/invite"
    if kind == "password":
        address = f"/people/{alice.pk}/password-link"
    form = {"email": "nina@example.com", "role": "lead"}
    response = adam_client.post(address, form, headers={"accept-encoding": "gzip"})
    assert is_plain(response)
    link = LINK.search(response.content.decode())
    assert link
    assert is_plain(get_compressed(client, link[1]))


def test_it_compresses_no_page_that_shows_secrets_of_a_second_factor(
    client: Client, carol: User
) -> None:
    sign_in_with_password(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    app = get_compressed(client, "/accounts/2fa/totp/activate/")
    secret = app.context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    codes = get_compressed(client, "/accounts/2fa/recovery-codes/")

    assert is_plain(app)
    assert secret in app.content.decode()
    assert is_plain(codes)
    assert len(codes.context["unused_codes"]) == 10
