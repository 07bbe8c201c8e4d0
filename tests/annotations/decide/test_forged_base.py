"""The base of a form comes back from a browser: nothing enters through it that nobody may type."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Decision
from tests.decisions import filled_form, post_decision
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db

DEEP: dict[str, Any] = {}
for _ in range(60):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("label", "x" * 101),
        ("label", ""),
        ("confidence", 5),
        ("confidence", -1),
        ("confidence", 10**400),
        ("reasoning", "x" * 5001),
        ("payload", {"a": "x" * 70_000}),
        ("payload", DEEP),
    ],
)
def test_it_takes_over_nothing_that_cannot_be_kept(
    client: Client, alice: User, name: str, value: Any
) -> None:
    annotation = make_annotation()
    base = json.dumps({**annotation.seen(), name: value})
    client.force_login(alice)
    sent = filled_form(annotation, base=base, **{f"keep_{name}": "theirs"})
    assert client.post(reverse("decide", args=[annotation.pk]), sent).status_code == 422
    assert not Decision.objects.exists()


def test_it_takes_over_what_upstream_has_however_long(client: Client, alice: User) -> None:
    annotation = make_annotation(reasoning="x" * 6000, payload={"a": "x" * 70_000})
    client.force_login(alice)
    sent = filled_form(annotation, keep_reasoning="theirs", keep_payload="theirs")
    assert client.post(reverse("decide", args=[annotation.pk]), sent).status_code == 302
    assert Decision.objects.get().payload == annotation.payload


@pytest.mark.parametrize("name", ["base_version", "result_id"])
@pytest.mark.parametrize(
    "value", ["-99999999999", "-99999999999999999999", "99999999999999999999", "1e9", "x"]
)
def test_it_refuses_numbers_that_no_column_holds(
    client: Client, alice: User, name: str, value: str
) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    response = post_decision(client, annotation, **{name: value})
    assert response.status_code == 422
