"""Every URL there is sends a stranger to the sign-in page, but for the few that are for everybody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import (
    IntConverter,
    PathConverter,
    SlugConverter,
    StringConverter,
    UUIDConverter,
)

FOR_EVERYBODY = {"account_login", "account_inactive"}
_SAMPLES = {
    IntConverter: 1,
    PathConverter: "doc/1",
    SlugConverter: "a",
    StringConverter: "a",
    UUIDConverter: "00000000-0000-4000-8000-000000000000",
}


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each)
        else:
            yield each


def address(pattern: URLPattern) -> str:
    values = {name: _SAMPLES[type(converter)] for name, converter in pattern.pattern.converters.items()}
    return reverse(pattern.name, kwargs=values) if pattern.name else "/"


NAMED = {pattern.name or str(pattern.pattern): pattern for pattern in patterns(get_resolver())}
# The JSON door answers strangers with 401 (tests/api/test_gate.py).
ALL = {name: pattern for name, pattern in NAMED.items() if not name.startswith("api_")}


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", sorted(ALL.keys() - FOR_EVERYBODY))
def test_it_sends_a_stranger_to_the_sign_in(client: Client, name: str, method: str) -> None:
    response = getattr(client, method)(address(ALL[name]))

    assert response.status_code in {302, 405}
    assert response.status_code == 405 or response["Location"].startswith("/accounts/login/")


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(ALL.keys() - FOR_EVERYBODY))
def test_it_gives_a_stranger_no_fragment_either(client: Client, name: str) -> None:
    for method in (client.get, client.post):
        response = method(address(ALL[name]), headers={"HX-Request": "true"})

        assert response.status_code in {302, 401, 405}
        assert "<" not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(FOR_EVERYBODY))
def test_it_lets_everybody_see_the_few(client: Client, name: str) -> None:
    assert client.get(address(ALL[name])).status_code == 200


def test_it_knows_every_address() -> None:
    assert {"preferences", "theme", "account_logout", "account_change_password"} <= ALL.keys()
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
