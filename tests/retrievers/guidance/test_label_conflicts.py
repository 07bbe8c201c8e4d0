"""Two admins edit one label set: what needs no asking is done and said, the rest is asked with nothing preselected."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.retrievers.conflict_choice import UNCHOSEN
from reviewapp.retrievers.guidance import label_questions
from reviewapp.retrievers.guidance.label_merge import Offer
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels
from reviewapp.retrievers.models import LabelSet, Retriever
from tests.collapsed import collapsed
from tests.factories import make_retriever

LOGO, NONE = Label(value="logo", title="A logo"), Label(value="no logo")


@pytest.fixture
def labelled_retriever(db: None, adam: User) -> Retriever:
    made = make_retriever()
    set_labels(made.pk, [LOGO, NONE], other_allowed=True, base_version=0, actor=adam)
    return made


def theirs(retriever: Retriever, adam: User, *labels: Label, base: int = 1) -> None:
    assert set_labels(retriever.pk, labels, other_allowed=True, base_version=base, actor=adam)


def sent(*labels: Label, base: int = 1, **more: Any) -> dict[str, Any]:
    columns = {name: [getattr(one, name) for one in labels] for name in ("value", "title", "description", "colour")}
    return {**columns, "other_allowed": "yes", "base_version": str(base), **more}


def shown(page: Any) -> dict[str, Any]:
    """Return what a browser would send of the page as it is shown, no question answered."""
    form = page.context["form"]
    asked = re.findall(r'name="asked" value="([^"]*)"', page.content.decode())
    was = {} if form.was_version is None else {"was_base": str(form.was_version)}
    return sent(*form.offer.labels, base=form.base_version, asked=asked, **was)


def post(client: Client, retriever: Retriever, data: dict[str, Any]) -> Any:
    return client.post(reverse("label_set", args=[retriever.pk]), data)


def test_it_saves_what_merges_by_itself_and_says_so(
    adam_client: Client, adam: User, labelled_retriever: Retriever
) -> None:
    theirs(labelled_retriever, adam, LOGO, Label(value="no logo", colour="red"), Label(value="old logo"))
    mine = sent(Label(value="logo", title="Mark"), NONE, Label(value="parody"))
    reply = adam_client.post(reverse("label_set", args=[labelled_retriever.pk]), mine, follow=True)
    made = LabelSet.objects.get(version=3)
    assert made.values() == ["logo", "no logo", "old logo", "parody"]
    assert (made.labels[0]["title"], made.labels[1]["colour"]) == ("Mark", "red")
    for words in (
        "Labels, version 3, are in force. Version 2 was made meanwhile, and yours is put together with it.",
        "Only they changed the colour of “no logo”: taken over.",
        "Only they added “old logo”: taken over.",
        "Only you changed the title of “logo”: that stands.",
    ):
        assert words in collapsed(reply)


def test_it_asks_with_nothing_preselected_and_loses_nothing(
    adam_client: Client, adam: User, labelled_retriever: Retriever
) -> None:
    theirs(labelled_retriever, adam, Label(value="logo", title="Theirs"), NONE, Label(value="old logo"))
    page = post(adam_client, labelled_retriever, sent(Label(value="logo", title="Mine", description="Mine too"), NONE))
    text = collapsed(page)
    assert page.status_code == 409
    assert [row.value for row in page.context["form"].rows] == ["logo", "no logo", "old logo", ""]
    for words in ("adam made version 2 meanwhile", "Title of “logo”", "A logo", "Mine too", "Mine", "Theirs"):
        assert words in text
    assert "Only they added “old logo”: taken over." in text
    assert "Only you changed the description of “logo”: that stands." in text
    assert not re.search(r'type="radio"[^>]*checked', text)
    assert LabelSet.objects.count() == 2


def test_it_refuses_until_each_question_is_answered(
    adam_client: Client, adam: User, labelled_retriever: Retriever
) -> None:
    theirs(labelled_retriever, adam, Label(value="logo", title="Theirs", colour="red"), NONE)
    page = post(adam_client, labelled_retriever, sent(Label(value="logo", title="Mine", colour="blue"), NONE))
    assert shown(page)["asked"] == ["title:logo", "colour:logo"]
    again = post(adam_client, labelled_retriever, shown(page) | {"keep_1": "theirs"})
    assert again.status_code == 422
    assert [keep.wrong for keep in again.context["keeps"]] == [UNCHOSEN, ""]
    assert "A logo" in collapsed(again)
    assert re.search(r'name="keep_1" value="theirs" required checked', collapsed(again))
    assert LabelSet.objects.count() == 2
    last = post(adam_client, labelled_retriever, shown(again) | {"keep_0": "mine", "keep_1": "theirs"})
    assert last.status_code == 302
    assert LabelSet.objects.get(version=3).labels[0] == {
        "value": "logo", "title": "Mine", "description": "", "colour": "red",
    }  # fmt: skip


@pytest.mark.parametrize(("keep", "after"), [("mine", ["no logo"]), ("theirs", ["logo", "no logo"])])
def test_it_asks_whether_a_label_that_one_removed_and_one_changed_stays(
    adam_client: Client, adam: User, labelled_retriever: Retriever, keep: str, after: list[str]
) -> None:
    theirs(labelled_retriever, adam, Label(value="logo", title="Theirs"), NONE)
    page = post(adam_client, labelled_retriever, sent(NONE))
    assert page.status_code == 409
    assert "not among the labels" in collapsed(page)
    assert "logo · Theirs" in collapsed(page)
    assert "taken over" not in collapsed(page)
    post(adam_client, labelled_retriever, shown(page) | {"keep_0": keep})
    if keep == "mine":
        assert LabelSet.objects.get(version=3).values() == after
    else:
        assert LabelSet.objects.latest("version").values() == after
        assert LabelSet.objects.count() == 2


def test_it_goes_on_asking_while_rows_are_moved_without_scripts(
    adam_client: Client, adam: User, labelled_retriever: Retriever
) -> None:
    theirs(labelled_retriever, adam, Label(value="logo", title="Theirs"), NONE)
    page = post(adam_client, labelled_retriever, sent(Label(value="logo", title="Mine"), NONE))
    moved = post(adam_client, labelled_retriever, shown(page) | {"keep_0": "mine", "act": "down:0"})
    assert moved.status_code == 200
    assert [(keep.key, keep.chosen) for keep in moved.context["keeps"]] == [("title:logo", "mine")]
    gone = post(adam_client, labelled_retriever, shown(page) | {"act": "remove:0"})
    assert gone.context["keeps"] == []
    assert post(adam_client, labelled_retriever, shown(moved) | {"keep_0": "mine"}).status_code == 302
    assert LabelSet.objects.get(version=3).labels[1]["title"] == "Mine"


def test_it_asks_anew_about_a_third_edit(adam_client: Client, adam: User, labelled_retriever: Retriever) -> None:
    theirs(labelled_retriever, adam, Label(value="logo", title="Theirs"), NONE)
    page = post(adam_client, labelled_retriever, sent(Label(value="logo", title="Mine"), NONE))
    theirs(labelled_retriever, adam, Label(value="logo", title="Third"), NONE, base=2)
    again = post(adam_client, labelled_retriever, shown(page) | {"keep_0": "mine"})
    assert again.status_code == 409
    (keep,) = again.context["keeps"]
    assert (keep.base, keep.mine, keep.theirs, keep.chosen) == ("Theirs", "Mine", "Third", "")


def test_it_shows_a_set_that_became_too_long_and_what_is_in_it(
    adam_client: Client, adam: User, labelled_retriever: Retriever
) -> None:
    theirs(labelled_retriever, adam, LOGO, NONE, *(Label(value=f"t{number}") for number in range(30)))
    page = post(adam_client, labelled_retriever, sent(LOGO, NONE, *(Label(value=f"m{number}") for number in range(30))))
    assert page.status_code == 409
    assert "A set has 50 labels at most." in collapsed(page)
    assert len(page.context["form"].offer.labels) == 62


def test_it_forgives_damaged_questions(adam_client: Client, adam: User, labelled_retriever: Retriever) -> None:
    odd = {"asked": ["x", "title:nowhere", "order:x", "others:", "\x00"], "was_base": "x", "base_version": "77"}
    reply = post(adam_client, labelled_retriever, sent(LOGO, Label(value="mine")) | odd)
    assert reply.status_code == 302
    assert LabelSet.objects.latest("version").values() == ["logo", "no logo", "mine"]


OFFERS = st.lists(
    st.builds(Label, value=st.sampled_from("abc"), title=st.sampled_from(["", "A", "B"])),
    unique_by=lambda label: label.value,
).map(lambda labels: Offer(labels=tuple(labels)))


@given(OFFERS, OFFERS)
def test_it_says_everything_that_one_alone_did_and_nothing_else(base: Offer, edited: Offer) -> None:
    theirs_only = label_questions.settled(base=base, mine=base, theirs=edited)
    mine_only = label_questions.settled(base=base, mine=edited, theirs=base)
    assert bool(theirs_only) is bool(mine_only) is (base != edited)
    assert all(said.startswith("Only they ") for said in theirs_only)
    assert all(said.startswith("Only you ") for said in mine_only)
    assert label_questions.settled(base=base, mine=edited, theirs=edited) == []


@given(OFFERS, OFFERS)
def test_it_previews_every_difference_between_two_versions(now: Offer, then: Offer) -> None:
    assert bool(label_questions.differences(now, then)) is (now != then)
