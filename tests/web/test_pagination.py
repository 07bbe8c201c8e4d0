"""Whatever stands in a cursor, it is a page or a `BadCursor`."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.web.pagination import BadCursor, page
from tests.factories import make_annotation
from tests.proofs import examples

pytestmark = pytest.mark.django_db

_TIMES = [
    {"at": text}
    for text in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2020-01-01", 5)
]
VALUES = (
    st.integers()
    | st.floats()
    | st.text()
    | st.booleans()
    | st.none()
    | st.sampled_from([*_TIMES, 10**400, -(10**30), "\0", "\ud800", [], {}])
)


def cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "order", [("id",), ("sureness", "id"), ("-settled_at", "-id"), ("label", "id")]
)
@given(
    values=st.lists(VALUES, min_size=1, max_size=2),
    direction=st.sampled_from(["after", "before", "x"]),
)
@example(values=[float("inf")], direction="after")
@example(values=[10**400, 1], direction="after")
@example(values=["\0", 1], direction="after")
@example(values=[_TIMES[0], 1], direction="after")
@settings(
    max_examples=examples(30, 200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_it_is_a_page_or_bad(order: tuple[str, ...], values: list[Any], direction: str) -> None:
    with suppress(BadCursor):
        page(Annotation.objects.all(), order=order, cursor=cursor(direction, *values))


@pytest.mark.parametrize(
    "content",
    [[["after"], 1], [{}, 1], [{"after": 1}, 1], {}, {"after": 1}, [], "after", 7, None, True],
    ids=str,
)
def test_it_is_bad_whatever_json_stands_in_it(client: Client, alice: User, content: Any) -> None:
    text = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    with pytest.raises(BadCursor):
        page(Annotation.objects.all(), order=("id",), cursor=text)

    client.force_login(alice)
    assert client.get("/annotations", {"cursor": text}).status_code == 200


@pytest.mark.parametrize("value", [float("inf"), 10**400, "\0"])
def test_it_starts_from_the_first_page(client: Client, alice: User, value: Any) -> None:
    make_annotation()
    client.force_login(alice)
    response = client.get("/annotations", {"cursor": cursor("after", value, 1)})
    assert response.status_code == 200
    assert len(response.context["page"].rows) == 1
    assert client.get("/attention", {"page": cursor("after", value)}).status_code == 302


def test_it_finds_nothing_under_a_name_that_cannot_be(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/by-ref", {"ref": "annotations/a\0b"}).status_code == 404
    assert client.get("/by-ref", {"ref": "retrievers/a\0b"}).status_code == 404


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_it_searches_no_time_beyond_all_calendars(
    client: Client, lena: User, name: str, at: str
) -> None:
    client.force_login(lena)
    response = client.get("/history", {name: at})
    assert response.status_code in {200, 422}
    assert "Use a year from" in response.content.decode()
