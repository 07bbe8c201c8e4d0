"""Two admins edit one retriever's guidance: who saves on an older version sees the newer."""

from __future__ import annotations

import re
from functools import partial
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.retrievers.guidance.form_settings import FormSettings, Required, StartsFrom
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import VersionConflict, set_labels, write_guidelines
from reviewapp.retrievers.models import Guidelines, LabelSet, Retriever
from tests.annotations.racing import at_once
from tests.collapsed import collapsed
from tests.factories import make_retriever
from tests.people import make_person

LOGO = Label(value="logo", title="A logo")
NO_LOGO = Label(value="no logo")
THEIRS = Label(value="logo", title="Theirs")
MINE = Label(value="logo", title="Mine", description="Seen whole", colour="blue")


@pytest.fixture
def bea(db: None) -> User:
    """A second admin."""
    return make_person("bea", roles.ADMIN)


@pytest.fixture
def guided_retriever(db: None, adam: User) -> Retriever:
    """A retriever with version 1 of both."""
    retriever = make_retriever()
    set_labels(retriever.pk, [LOGO, NO_LOGO], other_allowed=True, base_version=0, actor=adam)
    write_guidelines(retriever.pk, "Look.", base_version=0, actor=adam)
    return retriever


def save_labels(retriever: Retriever, actor: User, *labels: Label, base: int) -> LabelSet | None:
    return set_labels(retriever.pk, labels, other_allowed=True, base_version=base, actor=actor)


def label_data(*labels: Label, base: int, **fields: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"other_allowed": "yes", "base_version": str(base)}
    for name in ("value", "title", "description", "colour"):
        data[name] = [getattr(label, name) for label in labels]
    return data | fields


def post(client: Client, name: str, retriever: Retriever, data: dict[str, Any]) -> Any:
    return client.post(reverse(name, args=[retriever.pk]), data)


def form_data(page: Any) -> dict[str, list[str]]:
    """Return what a browser sends when the form of this page is saved as it is."""
    form = page.content.decode().partition("data-guards")[2].partition("</form>")[0]
    data: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r'name="([^"]*)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        is_sent = 'type="checkbox"' not in tag or "checked" in tag
        if name and value and is_sent:
            data.setdefault(name[1], []).append(unescape(value[1]))
    for name, options in re.findall(
        r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL
    ):
        data.setdefault(name, []).extend(re.findall(r'value="([^"]*)" selected', options))
    for name, text in re.findall(
        r'<textarea[^>]* name="([^"]*)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL
    ):
        data[name] = [unescape(text)]
    return data


def test_it_shows_both_label_sets_and_keeps_what_was_typed(
    adam_client: Client, bea: User, guided_retriever: Retriever
) -> None:
    save_labels(guided_retriever, bea, THEIRS, NO_LOGO, Label(value="old logo"), base=1)
    settings = {"starts_from": "nothing", "reasoning_required": "always"}
    page = post(
        adam_client,
        "label_set",
        guided_retriever,
        label_data(MINE, Label(value="odd"), base=1, **settings),
    )
    assert page.status_code == 409
    for text in (
        "bea saved version 2 while you were editing",
        "Version 2, by bea",
        "Yours, not saved",
        "logo · Theirs",
        "logo · Mine · Seen whole · blue",
        "old logo",
        "the machine's label",
        "nothing chosen",
        "Save as version 3",
    ):
        assert text in unescape(collapsed(page))

    assert [value.name for value in page.context["compared"] if not value.differs] == [
        "other labels",
        "confidence is required",
    ]
    assert LabelSet.objects.count() == 2

    typed = form_data(page)
    assert typed["base_version"] == ["2"]
    assert typed["value"] == ["logo", "odd"]
    assert typed["title"] == ["Mine", ""]
    assert typed["description"] == ["Seen whole", ""]
    assert typed["colour"] == ["blue", "none"]
    assert typed["starts_from"] == ["nothing"]
    assert typed["reasoning_required"] == ["always"]


def test_it_saves_labels_on_top_of_the_newer_version(
    adam_client: Client, bea: User, guided_retriever: Retriever
) -> None:
    save_labels(guided_retriever, bea, THEIRS, NO_LOGO, base=1)
    page = post(adam_client, "label_set", guided_retriever, label_data(MINE, base=1))
    assert post(adam_client, "label_set", guided_retriever, form_data(page)).status_code == 302

    saved = LabelSet.objects.get(version=3)
    assert saved.labels == [
        {"value": "logo", "title": "Mine", "description": "Seen whole", "colour": "blue"}
    ]
    assert saved.created_by.username == "adam"
    assert LabelSet.objects.get(version=2).labels[0]["title"] == "Theirs"


def test_it_shows_both_guidelines_and_saves_on_top_of_the_newer_version(
    adam_client: Client, bea: User, guided_retriever: Retriever
) -> None:
    write_guidelines(guided_retriever.pk, "Theirs <b>.", base_version=1, actor=bea)
    page = post(
        adam_client, "guidelines", guided_retriever, {"text": "\nMine\r\n", "base_version": "1"}
    )
    assert page.status_code == 409
    for text in (
        "bea saved version 2 while you were editing",
        "Theirs &lt;b&gt;.",
        "Mine",
        "What saving yours would change",
    ):
        assert text in collapsed(page)
    assert Guidelines.objects.count() == 2

    typed = form_data(page)
    assert typed["text"] == ["\nMine\n"]
    assert typed["base_version"] == ["2"]
    assert post(adam_client, "guidelines", guided_retriever, typed).status_code == 302
    assert Guidelines.objects.get(version=3).text == "\nMine\n"


def test_it_refuses_again_when_a_third_version_was_saved(
    adam_client: Client, bea: User, guided_retriever: Retriever
) -> None:
    save_labels(guided_retriever, bea, THEIRS, base=1)
    write_guidelines(guided_retriever.pk, "Theirs.", base_version=1, actor=bea)
    labels = post(adam_client, "label_set", guided_retriever, label_data(MINE, base=1))
    text = post(adam_client, "guidelines", guided_retriever, {"text": "Mine.", "base_version": "1"})
    save_labels(guided_retriever, bea, Label(value="logo", title="Third"), base=2)
    write_guidelines(guided_retriever.pk, "Third.", base_version=2, actor=bea)

    for name, page, mine in (("label_set", labels, "Mine"), ("guidelines", text, "Mine.")):
        again = post(adam_client, name, guided_retriever, form_data(page))
        assert again.status_code == 409
        for words in ("bea saved version 3 while you were editing", "Third", mine):
            assert words in collapsed(again)
        assert form_data(again)["base_version"] == ["3"]
        assert post(adam_client, name, guided_retriever, form_data(again)).status_code == 302

    assert LabelSet.objects.get(version=4).labels[0]["title"] == "Mine"
    assert Guidelines.objects.get(version=4).text == "Mine."


def test_it_makes_one_version_of_a_form_sent_twice(
    adam_client: Client, bea: User, guided_retriever: Retriever
) -> None:
    save_labels(guided_retriever, bea, THEIRS, base=1)
    data = form_data(post(adam_client, "label_set", guided_retriever, label_data(MINE, base=1)))
    for _ in range(3):
        assert post(adam_client, "label_set", guided_retriever, data).status_code == 302
    assert LabelSet.objects.count() == 3

    save_labels(guided_retriever, bea, THEIRS, base=3)
    assert post(adam_client, "label_set", guided_retriever, data).status_code == 409
    assert LabelSet.objects.count() == 4

    write_guidelines(guided_retriever.pk, "Theirs.", base_version=1, actor=bea)
    text = {"text": "Mine.", "base_version": "2", "is_conflict": "yes"}
    for _ in range(3):
        assert post(adam_client, "guidelines", guided_retriever, text).status_code == 302
    assert Guidelines.objects.count() == 3


def test_it_refuses_a_stale_form_even_when_nothing_was_changed_in_it(
    adam_client: Client, bea: User, guided_retriever: Retriever
) -> None:
    """It would put the older version back."""
    save_labels(guided_retriever, bea, THEIRS, base=1)
    write_guidelines(guided_retriever.pk, "Theirs.", base_version=1, actor=bea)
    labels = post(adam_client, "label_set", guided_retriever, label_data(LOGO, NO_LOGO, base=1))
    text = post(adam_client, "guidelines", guided_retriever, {"text": "Look.", "base_version": "1"})
    assert (labels.status_code, text.status_code) == (409, 409)


def test_it_takes_what_is_stored_already_from_a_stale_form(
    adam_client: Client, bea: User, guided_retriever: Retriever
) -> None:
    save_labels(guided_retriever, bea, THEIRS, base=1)
    assert (
        post(adam_client, "label_set", guided_retriever, label_data(THEIRS, base=1)).status_code
        == 302
    )
    assert LabelSet.objects.count() == 2


def test_it_reports_bad_labels_before_the_newer_version(
    adam_client: Client, bea: User, guided_retriever: Retriever
) -> None:
    save_labels(guided_retriever, bea, THEIRS, base=1)
    page = post(adam_client, "label_set", guided_retriever, label_data(MINE, MINE, base=1))
    assert page.status_code == 422
    assert form_data(page)["base_version"] == ["1"]


def test_it_goes_on_showing_both_while_the_form_is_changed_without_scripts(
    adam_client: Client, bea: User, guided_retriever: Retriever
) -> None:
    save_labels(guided_retriever, bea, THEIRS, base=1)
    write_guidelines(guided_retriever.pk, "Theirs.", base_version=1, actor=bea)
    labels = form_data(
        post(adam_client, "label_set", guided_retriever, label_data(MINE, NO_LOGO, base=1))
    )
    text = form_data(
        post(adam_client, "guidelines", guided_retriever, {"text": "Mine.", "base_version": "1"})
    )

    moved = post(adam_client, "label_set", guided_retriever, labels | {"act": "down:0"})
    looked = post(adam_client, "guidelines", guided_retriever, text | {"act": "look"})
    wrong = post(adam_client, "label_set", guided_retriever, labels | {"value": ["logo", "logo"]})
    assert (moved.status_code, looked.status_code, wrong.status_code) == (200, 200, 422)
    for page in (moved, looked, wrong):
        assert "bea saved version 2 while you were editing" in collapsed(page)
        assert form_data(page)["base_version"] == ["2"]
    assert form_data(moved)["value"] == ["no logo", "logo"]


def test_it_takes_damaged_versions(adam_client: Client, guided_retriever: Retriever) -> None:
    for base in ("", "x", "77", "-1", "9" * 30, "\x00"):
        data = label_data(MINE, base=0) | {"base_version": base, "is_conflict": "yes"}
        page = post(adam_client, "label_set", guided_retriever, data)
        assert page.status_code == 409
        assert form_data(page)["base_version"] == ["1"]
    page = post(
        adam_client,
        "label_set",
        guided_retriever,
        label_data(MINE, base=77, is_conflict="yes", act="add"),
    )
    assert page.status_code == 200
    assert "while you were editing" not in collapsed(page)


def test_it_names_who_saved_the_newer_version(
    adam: User, bea: User, guided_retriever: Retriever
) -> None:
    theirs = save_labels(guided_retriever, bea, THEIRS, base=1)
    settings = FormSettings(starts_from=StartsFrom.NOTHING, confidence_required=Required.ALWAYS)
    with pytest.raises(VersionConflict, match=r"bea saved version 2 meanwhile\.") as conflict:
        set_labels(
            guided_retriever.pk,
            [THEIRS],
            other_allowed=True,
            base_version=1,
            actor=adam,
            settings=settings,
        )
    assert conflict.value.current == theirs


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("base", [0, 1])
def test_it_lets_one_of_two_save_at_once(adam: User, bea: User, base: int) -> None:
    retriever = make_retriever()
    if base:
        save_labels(retriever, adam, LOGO, base=0)
        write_guidelines(retriever.pk, "Look.", base_version=0, actor=adam)

    labels = at_once(
        partial(save_labels, retriever, adam, MINE, base=base),
        partial(save_labels, retriever, bea, THEIRS, base=base),
    )
    texts = at_once(
        partial(write_guidelines, retriever.pk, "Mine.", base_version=base, actor=adam),
        partial(write_guidelines, retriever.pk, "Theirs.", base_version=base, actor=bea),
    )
    for results, kind in ((labels, LabelSet), (texts, Guidelines)):
        [saved] = [result for result in results if isinstance(result, kind)]
        [conflict] = [result for result in results if isinstance(result, VersionConflict)]
        assert conflict.current == saved
        assert saved.version == base + 1
    assert LabelSet.objects.count() == Guidelines.objects.count() == base + 1
