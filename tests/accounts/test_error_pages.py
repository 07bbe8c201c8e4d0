"""What somebody sees who is not signed in, or may not."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from reviewapp import urls
from reviewapp.accounts.models import User
from tests.collapsed import collapsed


@permission_required("audit.view_event", raise_exception=True)
def leads_only(request: HttpRequest) -> HttpResponse:
    return HttpResponse("the history")


handler403 = urls.handler403
urlpatterns = [path("leads-only", leads_only), *urls.urlpatterns]


@pytest.fixture
def with_a_page_for_leads(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.mark.usefixtures("with_a_page_for_leads")
@pytest.mark.parametrize(
    ("name", "whom"), [("alice", "with the role <strong>reviewer"), ("stranger", "without a role")]
)
def test_it_says_who_one_is_and_which_role_may(
    client: Client, request: pytest.FixtureRequest, name: str, whom: str
) -> None:
    client.force_login(request.getfixturevalue(name))

    response = client.get("/leads-only")

    page = collapsed(response)
    assert response.status_code == 403
    assert f"<strong>{name}</strong>" in page
    assert whom in page
    assert "This is for these roles: <strong>lead</strong>, <strong>admin</strong>." in page


@pytest.mark.usefixtures("with_a_page_for_leads")
def test_it_lets_those_in_who_may(client: Client, lena: User) -> None:
    client.force_login(lena)

    assert client.get("/leads-only").content == b"the history"


@pytest.mark.django_db
def test_it_answers_a_fragment_with_401_so_that_no_page_lands_in_a_form(client: Client) -> None:
    response = client.get("/preferences", headers={"HX-Request": "true"})

    assert response.status_code == 401
    assert "your work is kept here" in collapsed(response)


@pytest.mark.django_db
def test_it_sends_a_boosted_stranger_to_the_sign_in(client: Client) -> None:
    response = client.get("/preferences", headers={"HX-Request": "true", "HX-Boosted": "true"})

    assert response["Location"] == "/accounts/login/?next=%2Fpreferences"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("referrer", "back"),
    [
        ("http://testserver/annotations/7?from=queue", "%2Fannotations%2F7%3Ffrom%3Dqueue"),
        ("http://testserver", "%2F"),
        ("https://evil.example/page", "%2F"),
        ("", "%2F"),
    ],
)
def test_it_goes_back_to_the_page_of_the_form_when_a_session_ended_in_the_middle(
    client: Client, referrer: str, back: str
) -> None:
    response = client.post("/preferences/theme", {"theme": "dark"}, headers={"Referer": referrer})

    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={back}")


def test_it_leads_from_the_root_to_the_queue(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get("/")["Location"] == "/annotations"


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"reasoning": "x" * (1024 * 1024 + 1)}, 413, "The form is too large"),
        ({f"field_{number}": "x" for number in range(1001)}, 400, "is not valid"),
    ],
    ids=["too large", "too many fields"],
)
def test_it_says_what_is_wrong_with_a_request_nobody_can_read(
    client: Client, alice: User, sent: dict[str, str], status: int, said: str
) -> None:
    client.force_login(alice)
    response = client.post(
        "/preferences", urlencode(sent), content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == status
    assert said in collapsed(response)


@pytest.mark.parametrize("address", ["/annotations", "/nowhere", "/preferences"])
def test_it_leads_somebody_without_a_role_only_where_they_may_go(
    client: Client, stranger: User, address: str
) -> None:
    client.force_login(stranger)
    page = client.get(address)
    if address == "/annotations":
        assert "without a role. Ask an admin to give you one." in collapsed(page)
        assert "Sign out</button> </form> </div>" in collapsed(page)
    # The dialog after it is for whoever signs in here next.
    seen = page.content.decode().partition('<dialog id="sign_in_again"')[0]
    led = {href for href in re.findall(r'<a\b[^>]*?href="([^"#]*)"', seen) if href}
    assert "/preferences" in led
    assert {href for href in led if client.get(href, follow=True).status_code != 200} == set()
