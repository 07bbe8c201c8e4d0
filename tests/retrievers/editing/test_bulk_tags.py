"""Tags on many retrievers at once: looked at first, done one by one, a result for each."""

from __future__ import annotations

import re
import uuid
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.outbox.models import Change
from reviewapp.retrievers.editing import bulk_tags
from reviewapp.retrievers.models import Retriever
from tests.collapsed import collapsed
from tests.factories import make_retriever

pytestmark = pytest.mark.django_db
ADDRESS = "/retrievers/tags"


def page_text(reply: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", reply.content.decode()).split())


@pytest.fixture
def three(db: None) -> list[Retriever]:
    """One that lacks the tag, one that has it already, one that is gone."""
    return [
        make_retriever("one", tags=["a", "old"]),
        make_retriever("two", tags=["new"]),
        make_retriever("zero", gone_at=timezone.now()),
    ]


def bulk_form(retrievers: list[Retriever], **more: Any) -> dict[str, Any]:
    return {"pk": [retriever.pk for retriever in retrievers], "add": "new", "remove": "old"} | more


def test_it_previews_each_change_and_makes_none(
    client: Client, adam: User, three: list[Retriever]
) -> None:
    client.force_login(adam)
    page = client.get(ADDRESS, bulk_form(three))
    assert [
        (edit.add, edit.remove, edit.after, bool(edit.obstacle)) for edit in page.context["plan"]
    ] == [
        (["new"], ["old"], ["a", "new"], False),
        ([], [], ["new"], True),
        ([], [], [], True),
    ]
    assert "Change 1 retriever" in collapsed(page)
    assert not Change.objects.exists()


def test_it_says_what_became_of_each(client: Client, adam: User, three: list[Retriever]) -> None:
    client.force_login(adam)
    data = bulk_form(three, bulk_id=str(uuid.uuid4()))
    page = client.post(ADDRESS, data, follow=True)
    ((address, status),) = page.redirect_chain
    assert status == 302
    assert [(bool(result.change), result.reason) for result in page.context["results"]] == [
        (True, ""),
        (False, "Nothing was changed."),
        (False, "Mixpeek no longer has it."),
    ]
    assert Change.objects.get().fields == {"tags": {"add": ["new"], "remove": ["old"]}}
    assert " Queued </a>" in collapsed(page)
    assert "1 changed, 0 of them delivered; 2 unchanged." in page_text(page)
    assert 'hx-trigger="every 3s"' in collapsed(page)
    assert 'href="/deliveries"' in collapsed(page)
    Change.objects.update(state="delivered", version=2, settled_at=timezone.now())
    later = client.get(address, headers={"HX-Request": "true"})
    assert collapsed(later).strip().startswith('<section id="tagged"')
    assert "1 of them delivered" in page_text(later)
    assert " Delivered v2 </a>" in collapsed(later)
    assert "every 3s" not in collapsed(later)
    again = client.post(ADDRESS, data, follow=True)
    assert again.context["results"][0].change == page.context["results"][0].change
    assert Change.objects.count() == 1


def test_it_does_twenty_at_once(client: Client, adam: User) -> None:
    many = [make_retriever(f"retriever {number:02}") for number in range(20)]
    client.force_login(adam)
    client.post(ADDRESS, bulk_form(many, bulk_id=str(uuid.uuid4())))
    assert Change.objects.count() == 20
    assert all(retriever.tags == ["new"] for retriever in Retriever.objects.all())


def test_it_looks_at_many_in_few_questions(client: Client, adam: User) -> None:
    client.force_login(adam)
    counts = []
    for _ in range(2):
        for _ in range(5):
            make_retriever()
        with CaptureQueriesContext(connection) as queries:
            client.get(ADDRESS, bulk_form(list(Retriever.objects.all())))
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"add": "", "remove": " , "}, "Enter a tag to add or to remove."),
        ({"add": "same", "remove": "same"}, "“same” cannot be both added and removed."),
        ({"add": "x" * 101}, "A tag can have at most 100 characters."),
        ({"add": "\x00"}, "cannot be stored"),
        ({"pk": []}, "Select at least one retriever."),
        ({"pk": ["abc", "²", "9" * 30]}, "Select at least one retriever."),
        (
            {"pk": [], "add": "", "remove": ""},
            "Select at least one retriever. Enter a tag to add or to remove.",
        ),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_it_says_what_is_wrong(
    client: Client, adam: User, three: list[Retriever], wrong: dict[str, Any], sentence: str
) -> None:
    client.force_login(adam)
    for send in (client.get, client.post):
        reply = send(ADDRESS, bulk_form(three, bulk_id=str(uuid.uuid4())) | wrong)
        assert reply.status_code == 422
        assert sentence in collapsed(reply)
    assert not Change.objects.exists()


def test_it_takes_no_more_than_it_can_show(client: Client, adam: User) -> None:
    Retriever.objects.bulk_create(
        Retriever(retriever_id=f"r{number}", name=f"r{number}", seen_at=timezone.now())
        for number in range(bulk_tags.MAX_RETRIEVERS + 1)
    )
    client.force_login(adam)
    keys = list(Retriever.objects.values_list("pk", flat=True))
    reply = client.post(ADDRESS, {"pk": keys, "add": "x", "bulk_id": str(uuid.uuid4())})
    assert reply.status_code == 422
    most = bulk_tags.MAX_RETRIEVERS
    assert f"Select at most {most} retrievers (you selected {most + 1})." in collapsed(reply)
    assert len(reply.context["picked"]) == most + 1


def test_it_leads_back_from_a_result_that_is_none(
    client: Client, adam: User, three: list[Retriever]
) -> None:
    client.force_login(adam)
    strange: list[dict[str, str]] = [
        {},
        {"bulk_id": "x", "pk": str(three[0].pk)},
        {"bulk_id": str(uuid.uuid4()), "pk": "x"},
    ]
    for asked_for in strange:
        assert client.get("/retrievers/tagged", asked_for)["Location"] == reverse("retrievers")
    assert client.post("/retrievers/tagged").status_code == 405


def test_it_does_nothing_without_the_form_of_the_preview(
    client: Client, adam: User, three: list[Retriever]
) -> None:
    client.force_login(adam)
    assert client.post(ADDRESS, bulk_form(three)).status_code == 422
    assert not Change.objects.exists()


def test_it_is_for_admins(client: Client, alice: User, lena: User, three: list[Retriever]) -> None:
    for person in (alice, lena):
        client.force_login(person)
        assert client.get(ADDRESS, bulk_form(three)).status_code == 403
        assert client.post(ADDRESS, bulk_form(three)).status_code == 403
        assert client.get("/retrievers/tagged", bulk_form(three)).status_code == 403
        assert "Preview" not in collapsed(client.get(reverse("retrievers")))
        with pytest.raises(PermissionDenied):
            bulk_tags.retag(three, add=["x"], remove=[], bulk_id=uuid.uuid4(), actor=person)


@pytest.mark.parametrize("typed", ["red, green", '"red, green"', "RED,  green"])
def test_it_removes_a_tag_that_holds_a_comma(client: Client, adam: User, typed: str) -> None:
    client.force_login(adam)
    retriever = make_retriever("one", tags=["red, green", "red"])
    form = bulk_form([retriever], add='"blue, white"', remove=typed)
    preview = client.get(ADDRESS, form)
    (planned,) = preview.context["plan"]
    assert (planned.remove, planned.after) == (["red, green"], ["red", "blue, white"])

    html = preview.content.decode()
    confirmed = re.findall(r'name="(add_exactly|remove_exactly|bulk_id|pk)" value="([^"]*)"', html)
    data: dict[str, Any] = {name: unescape(value) for name, value in confirmed}
    assert client.post(ADDRESS, data).status_code == 302
    retriever.refresh_from_db()
    assert retriever.tags == ["red", "blue, white"]


def test_it_adds_no_tag_beside_one_that_is_like_it(client: Client, adam: User) -> None:
    client.force_login(adam)
    retriever = make_retriever("one", tags=["Red", "caf\u00e9"])
    form = bulk_form([retriever], add="red, cafe\u0301", remove="gone")
    (planned,) = client.get(ADDRESS, form).context["plan"]
    assert planned.obstacle

    form = bulk_form([retriever], add="other", remove="RED")
    (planned,) = client.get(ADDRESS, form).context["plan"]
    assert (planned.remove, planned.after) == (["Red"], ["caf\u00e9", "other"])


@pytest.mark.parametrize("tag", ["a\u202eb", "sp\u200bam", "a\tb"])
def test_it_refuses_an_invisible_character_in_a_tag(client: Client, adam: User, tag: str) -> None:
    client.force_login(adam)
    retriever = make_retriever("one", tags=["x" * 150, "a\u202eb"])
    reply = client.get(ADDRESS, bulk_form([retriever], add=tag, remove=""))
    assert reply.status_code == 422
    # Mixpeek's own can be removed, whatever they are.
    removing = bulk_form([retriever], add="", remove=retriever.tags)
    (planned,) = client.get(ADDRESS, removing).context["plan"]
    assert planned.after == []
