"""The history finds what its rows show: titles, documents, request ids."""

from __future__ import annotations

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import tracing
from tests.decisions import decide
from tests.factories import make_annotation
from tests.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def van(alice: User) -> Annotation:
    make_annotation(title="another", document_id="doc_z")
    item = make_annotation(title="blue-van.jpg", document_id="doc_8f/31", words="東京都")
    decide(item, alice, label="van")
    return item


@pytest.mark.parametrize(
    "words", ["blue-van.jpg", "van.jpg", "blue", "doc_8f/31", "8f/31", "京都", '"blue van"']
)
def test_it_finds_a_decision_by_its_document_and_names_it(
    lena: User, van: Annotation, words: str
) -> None:
    page = signed_in(lena).get("/history", {"q": words})
    refs = {entry.ref for entry in page.context["entries"]}
    assert refs == {van.ref}
    assert "blue-van.jpg" in page.content.decode()


def test_it_finds_the_events_of_a_request(lena: User, alice: User) -> None:
    one, other = make_annotation(), make_annotation()
    with tracing(Origin.WEB, request_id="7f3a9b2c5d"):
        decide(one, alice, label="van")
    decide(other, alice, label="van")
    for words in ("7f3a9b2c5d", '"7f3a9b2c5d"', " 7f3a9b2c5d "):
        page = signed_in(lena).get("/history", {"q": words})
        assert {entry.ref for entry in page.context["entries"]} == {one.ref}
    assert not signed_in(lena).get("/history", {"q": "7f3a9b2c5"}).context["entries"]


def test_it_says_what_it_does_not_search(lena: User) -> None:
    page = signed_in(lena).get("/history", {"q": "nowhere"}).content.decode()
    assert "did not happen" not in page
    assert "does not look into payloads" in page
