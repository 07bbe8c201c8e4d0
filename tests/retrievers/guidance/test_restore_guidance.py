"""Earlier versions of labels and guidelines can be viewed, previewed and restored."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels, write_guidelines
from reviewapp.retrievers.models import Guidelines, LabelSet, Retriever
from tests.collapsed import collapsed
from tests.factories import make_retriever

LOGO = Label(value="logo", title="A <b>logo</b>", description="Seen whole", colour="green")
NONE = Label(value="no logo")
TEXTS = ("\nLook **twice**.\n\n\tAnd <b>again</b>.", "Look once.")


@pytest.fixture
def revised_retriever(db: None, adam: User) -> Retriever:
    """Two versions of both."""
    retriever = make_retriever()
    set_labels(retriever.pk, [LOGO, NONE], other_allowed=False, base_version=0, actor=adam)
    set_labels(retriever.pk, [NONE], other_allowed=True, base_version=1, actor=adam)
    for base, text in enumerate(TEXTS):
        write_guidelines(retriever.pk, text, base_version=base, actor=adam)
    return retriever


def version(client: Client, name: str, retriever: Retriever, number: int) -> Any:
    return client.get(reverse(name, args=[retriever.pk, number]))


def fields(page: Any) -> dict[str, Any]:
    """Return what a browser would send of the form that restores."""
    markup = page.content.decode().partition('class="restore"')[2].partition("</form>")[0]
    sent: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="([a-z_]+)" value="([^"]*)"', markup):
        sent.setdefault(name, []).append(unescaped(value))
    for name, text in re.findall(
        r'<textarea name="([a-z_]+)" hidden>\n(.*?)</textarea>', markup, re.DOTALL
    ):
        sent[name] = [unescaped(text).replace("\n", "\r\n")]
    return sent


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_it_restores_labels_after_a_look_at_what_changes(
    adam_client: Client, revised_retriever: Retriever
) -> None:
    page = version(adam_client, "label_set_version", revised_retriever, 1)
    text = collapsed(page)
    for words in (
        "Labels, version 1",
        "A &lt;b&gt;logo",
        "Seen whole",
        "Only these labels are accepted",
    ):
        assert words in text
    assert "This creates version 3" in text
    assert [(diff.name, diff.old, diff.new) for diff in page.context["diffs"]] == [
        ("other labels", "allowed", "not allowed"),
        ("“logo”", "", "logo · A <b>logo</b> · Seen whole · green"),
    ]
    assert LabelSet.objects.count() == 2
    reply = adam_client.post(reverse("label_set", args=[revised_retriever.pk]), fields(page))
    assert reply.status_code == 302
    restored, first = (LabelSet.objects.get(version=number) for number in (3, 1))
    assert (restored.labels, restored.other_allowed) == (first.labels, first.other_allowed)
    assert "Same as version 3" in collapsed(
        version(adam_client, "label_set_version", revised_retriever, 1)
    )


def test_it_restores_guidelines_after_a_look_at_what_changes(
    adam_client: Client, revised_retriever: Retriever
) -> None:
    page = version(adam_client, "guidelines_version", revised_retriever, 1)
    assert "<strong>twice</strong>" in page.content.decode()
    assert "This creates version 3" in collapsed(page)
    assert [diff.name for diff in page.context["diffs"]] == ["text"]
    reply = adam_client.post(reverse("guidelines", args=[revised_retriever.pk]), fields(page))
    assert reply.status_code == 302
    assert Guidelines.objects.get(version=3).text == TEXTS[0]


@pytest.mark.parametrize("name", ["label_set", "guidelines"])
def test_it_offers_no_way_back_to_what_is_in_force(
    adam_client: Client, revised_retriever: Retriever, name: str
) -> None:
    page = collapsed(version(adam_client, f"{name}_version", revised_retriever, 2))
    assert "This is the current version." in page
    assert 'class="restore"' not in page
    editor = adam_client.get(reverse(name, args=[revised_retriever.pk])).content.decode()
    assert reverse(f"{name}_version", args=[revised_retriever.pk, 1]) in editor


def test_it_restores_an_empty_set(
    adam_client: Client, adam: User, revised_retriever: Retriever
) -> None:
    set_labels(revised_retriever.pk, [], other_allowed=True, base_version=2, actor=adam)
    set_labels(revised_retriever.pk, [LOGO], other_allowed=False, base_version=3, actor=adam)
    page = version(adam_client, "label_set_version", revised_retriever, 3)
    assert "No label list." in collapsed(page)
    assert (
        adam_client.post(
            reverse("label_set", args=[revised_retriever.pk]), fields(page)
        ).status_code
        == 302
    )
    assert LabelSet.objects.get(version=5).labels == []


def test_it_overwrites_nobody_who_was_faster(
    adam_client: Client, adam: User, revised_retriever: Retriever
) -> None:
    labels, text = (
        fields(version(adam_client, f"{name}_version", revised_retriever, 1))
        for name in ("label_set", "guidelines")
    )
    set_labels(
        revised_retriever.pk,
        [NONE, Label(value="new")],
        other_allowed=True,
        base_version=2,
        actor=adam,
    )
    write_guidelines(revised_retriever.pk, "Theirs.", base_version=2, actor=adam)
    assert (
        adam_client.post(reverse("label_set", args=[revised_retriever.pk]), labels).status_code
        == 409
    )
    assert LabelSet.objects.count() == 3
    assert (
        adam_client.post(reverse("guidelines", args=[revised_retriever.pk]), text).status_code
        == 409
    )
    assert Guidelines.objects.count() == 3


@pytest.mark.parametrize("name", ["label_set", "guidelines"])
def test_it_says_in_the_history_which_version_a_restore_restores(
    adam_client: Client, revised_retriever: Retriever, name: str
) -> None:
    page = version(adam_client, f"{name}_version", revised_retriever, 1)
    adam_client.post(reverse(name, args=[revised_retriever.pk]), fields(page))

    thing = {"label_set": "labels", "guidelines": "guidelines"}[name]
    newest, *earlier = timeline(revised_retriever.ref)
    assert (newest.sentence, newest.note) == (f"published {thing} v3", "restores version 1")
    assert not [entry for entry in earlier if "restores" in entry.note]


def test_it_calls_nothing_a_restore_that_is_none(
    adam_client: Client, revised_retriever: Retriever
) -> None:
    page = version(adam_client, "guidelines_version", revised_retriever, 1)
    forged = fields(page) | {"text": ["Something else."]}
    adam_client.post(reverse("guidelines", args=[revised_retriever.pk]), forged)
    assert not [entry for entry in timeline(revised_retriever.ref) if "restores" in entry.note]


@pytest.mark.parametrize("name", ["label_set_version", "guidelines_version"])
def test_it_shows_versions_to_those_who_may_not_restore_them(
    client: Client, alice: User, lena: User, revised_retriever: Retriever, name: str
) -> None:
    for person in (alice, lena):
        client.force_login(person)
        page = collapsed(version(client, name, revised_retriever, 1))
        assert "Only admins can restore." in page
        assert '<form method="post" action="/retrievers/' not in page
        assert reverse("retriever", args=[revised_retriever.pk]) in page


@pytest.mark.parametrize("name", ["label_set_version", "guidelines_version"])
def test_it_knows_no_other_version(
    client: Client, adam: User, revised_retriever: Retriever, name: str
) -> None:
    client.force_login(adam)
    other = make_retriever()
    for retriever, number in ((revised_retriever, 3), (revised_retriever, 10**12), (other, 1)):
        assert version(client, name, retriever, number).status_code == 404
    assert client.post(reverse(name, args=[revised_retriever.pk, 1])).status_code == 405
