"""The form that edits a retriever in place: saved, refused at the field, overtaken, answered anew."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from markupsafe import escape

from reviewapp.accounts.models import User
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services
from reviewapp.retrievers.models import Retriever, UpstreamRetriever
from reviewapp.retrievers.views.editing import load_versions
from tests.collapsed import collapsed
from tests.factories import make_execution, make_retriever, settle_as_refused
from tests.retrievers.edits import address, edit_of, filled_edit_form

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "details"}


def test_it_saves_what_is_different(client: Client, adam: User, retriever: Retriever) -> None:
    client.force_login(adam)
    data = filled_edit_form(
        client,
        retriever,
        name=" Brands ",
        add=["new, newer", "a\nb"],
        add_exactly=["x,y"],
        remove=["vans"],
    )
    reply = client.post(address(retriever), data, follow=True)
    assert reply.redirect_chain == [(reverse("retriever", args=[retriever.pk]), 302)]
    assert "It will be sent to Mixpeek" in collapsed(reply)
    assert Change.objects.get().fields == {
        "name": "Brands",
        "tags": {"add": ["x,y", "new", "newer", "a", "b"], "remove": ["vans"]},
    }


def test_it_sends_nothing_for_a_form_that_is_saved_untouched(
    client: Client, adam: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    reply = client.post(address(retriever), filled_edit_form(client, retriever), follow=True)
    assert "Nothing changed" in collapsed(reply)
    assert not Change.objects.exists()


PUBLISHED = "This retriever is published. A new name can change its public page"


@pytest.mark.parametrize("is_published", [True, False])
def test_it_says_that_a_retriever_is_published_before_it_is_renamed(
    client: Client, adam: User, retriever: Retriever, is_published: bool
) -> None:
    UpstreamRetriever.objects.create(retriever=retriever, body={"is_published": is_published})
    client.force_login(adam)
    assert (PUBLISHED in collapsed(client.get(address(retriever)))) is is_published


def test_it_says_that_a_retriever_is_published_before_an_earlier_name_is_restored(
    client: Client, adam: User, retriever: Retriever
) -> None:
    UpstreamRetriever.objects.create(retriever=retriever, body={"is_published": True})
    services.edit(retriever.pk, edit_of(retriever, name="Brands"), actor=adam)
    client.force_login(adam)
    newest, oldest = load_versions(retriever)
    earlier = reverse("retriever_version", args=[retriever.pk, oldest.event.pk])
    assert PUBLISHED in collapsed(client.get(earlier))
    now = reverse("retriever_version", args=[retriever.pk, newest.event.pk])
    assert PUBLISHED not in collapsed(client.get(now))


def test_it_gives_htmx_the_form_and_then_the_whole(
    client: Client, adam: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    form = collapsed(client.get(address(retriever), headers=HTMX)).strip()
    assert form.startswith('<section id="details"')
    assert 'list="tags-in-use"' in form
    reply = client.post(
        address(retriever), filled_edit_form(client, retriever, name="Brands"), headers=HTMX
    )
    assert collapsed(reply).strip().startswith('<div id="retriever"')
    assert reply["HX-Retarget"] == "#retriever"
    assert "will be sent" in json.loads(reply["HX-Trigger"])["say"]
    assert " Queued </a>" in collapsed(reply)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "  "}, "Enter a name."),
        ({"name": "x" * 201}, "Use at most 200 characters (this has 201)."),
        ({"name": "a\x00"}, "Null characters are not allowed."),
        ({"name": "Taken"}, "Another retriever is already named “Taken”."),
        ({"description": "x" * 10_001}, "Use at most 10,000 characters (this has 10,001)."),
        ({"add": ["x" * 101]}, "A tag can have at most 100 characters."),
        ({"add": ["\x00"]}, "cannot be stored"),
        ({"base": "{}"}, "This form is damaged."),
        (
            {"base": '{"name": 1, "description": "", "tags": []}'},
            "This form is damaged.",
        ),
        ({"edit_id": "7"}, "This form is damaged."),
        ({"answers": "x"}, "Enter a whole number."),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_it_says_what_is_wrong_and_keeps_what_was_typed(
    client: Client, adam: User, retriever: Retriever, wrong: dict[str, Any], sentence: str
) -> None:
    make_retriever("Taken")
    client.force_login(adam)
    form = {
        "name": "Mine <b>",
        "description": "My words",
        "add": ["mine"],
        "remove": ["vans"],
    } | wrong
    reply = client.post(address(retriever), filled_edit_form(client, retriever, **form))
    page = collapsed(reply)
    assert reply.status_code == 422
    assert sentence in page
    for value in (form["name"].strip(), form["description"], *form["add"]):
        assert escape(value) in page
    assert 'value="vans" checked' in page
    assert not Change.objects.exists()


def test_it_saves_a_form_sent_twice_once_and_an_old_one_not_at_all(
    client: Client, adam: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    data = filled_edit_form(client, retriever, name="Brands")
    assert [client.post(address(retriever), data).status_code for _ in range(2)] == [302, 302]
    assert Change.objects.count() == 1
    reply = client.post(address(retriever), data | {"name": "Something else"})
    assert reply.status_code == 409
    assert "was already saved" in collapsed(reply)


def test_it_shows_a_refusal_at_its_field_and_takes_it_up_anew(
    client: Client, adam: User, alice: User, retriever: Retriever
) -> None:
    Retriever.objects.update(upstream=retriever.values())
    change = services.edit(
        retriever.pk, edit_of(retriever, name="Taken", tags_add=("new",)), actor=adam
    )
    assert change is not None
    settle_as_refused(change, reason="Refused.", field_errors={"name": "is <taken> upstream"})
    Retriever.objects.update(name="Brand triage", tags=["logos", "vans"])
    client.force_login(alice)
    seen = collapsed(client.get("/attention"))
    assert "Retriever <a" in seen
    assert "+ new" in seen
    assert "Edit and resend" not in seen
    assert client.post(reverse("take_theirs", args=[change.pk])).status_code == 403
    client.force_login(adam)
    assert "is &lt;taken&gt; upstream" in collapsed(
        client.get(reverse("retriever", args=[retriever.pk]))
    )
    page = client.get(reverse("retriever", args=[retriever.pk]), {"change": change.pk})
    draft = page.context["draft"]
    assert (draft.name, draft.added, draft.answers) == ("Taken", ("new",), str(change.pk))
    assert 'id="edit_name_error">is &lt;taken&gt; upstream' in collapsed(page)
    data = {
        "edit_id": draft.edit_id,
        "base": draft.base_json,
        "answers": draft.answers,
        "description": "Finds\nlogos",
    }
    client.post(address(retriever), data | {"name": "Free", "add_exactly": ["new"]})
    change.refresh_from_db()
    assert change.state == "withdrawn"
    assert Change.objects.latest("pk").fields == {
        "name": "Free",
        "tags": {"add": ["new"], "remove": []},
    }


def test_it_takes_theirs_from_the_page_of_attention(
    client: Client, adam: User, retriever: Retriever
) -> None:
    Retriever.objects.update(upstream=retriever.values())
    change = services.edit(retriever.pk, edit_of(retriever, name="Taken"), actor=adam)
    assert change is not None
    settle_as_refused(change, reason="Refused.")
    client.force_login(adam)
    client.post(reverse("take_theirs", args=[change.pk]))
    retriever.refresh_from_db()
    change.refresh_from_db()
    assert (retriever.name, change.state) == ("Brand triage", "withdrawn")


@pytest.mark.parametrize("change", ["0", "abc", "²", "9" * 30])
def test_it_forgives_a_change_that_is_not_there(
    client: Client, adam: User, retriever: Retriever, change: str
) -> None:
    client.force_login(adam)
    assert (
        client.get(reverse("retriever", args=[retriever.pk]), {"change": change}).context["draft"]
        is None
    )


def test_it_is_for_admins_and_knows_no_other_retriever(
    client: Client, adam: User, alice: User, lena: User, retriever: Retriever
) -> None:
    for person in (alice, lena):
        client.force_login(person)
        assert client.get(address(retriever)).status_code == 403
        assert client.post(address(retriever)).status_code == 403
        assert "/edit" not in collapsed(client.get(reverse("retriever", args=[retriever.pk])))
    client.force_login(adam)
    assert client.get(reverse("edit_retriever", args=[retriever.pk + 1])).status_code == 404
    assert client.post(reverse("edit_retriever", args=[retriever.pk + 1])).status_code == 404
    assert client.put(address(retriever)).status_code == 405


def test_it_does_not_change_what_is_gone(client: Client, adam: User, retriever: Retriever) -> None:
    client.force_login(adam)
    data = filled_edit_form(client, retriever, name="Brands")
    Retriever.objects.update(gone_at=timezone.now())
    reply = client.post(address(retriever), data)
    assert reply.status_code == 422
    assert "Mixpeek no longer has" in collapsed(reply)


def test_it_says_why_the_rest_cannot_be_changed(client: Client, alice: User) -> None:
    stage = {
        "stage_name": "search",
        "stage_type": "filter",
        "config": {"parameters": {"query": "{{INPUT.q}}"}},
    }
    retriever = make_retriever(
        stages=[stage],
        input_schema={"q": {"type": "string", "required": True, "description": "What to look for"}},
        collection_ids=["col_1"],
        budget_limits={"max_credits": 5},
    )
    client.force_login(alice)
    page = collapsed(client.get(reverse("retriever", args=[retriever.pk])))
    for words in ("Read-only.", "1 parameter", "What to look for", "col_1", "max_credits"):
        assert words in page


def test_it_asks_the_same_few_questions_however_much_there_is(
    client: Client, adam: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    counts = []
    for turn in range(2):
        for number in range(3):
            make_execution(retriever)
            retriever.refresh_from_db()
            services.edit(retriever.pk, edit_of(retriever, name=f"{turn} {number}"), actor=adam)
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("retriever", args=[retriever.pk]))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
