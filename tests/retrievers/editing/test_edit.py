"""Edit a retriever's name, description and tags in one transaction, sending only changes."""

from __future__ import annotations

import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services
from reviewapp.retrievers.models import Retriever
from tests.factories import make_retriever, settle_as_refused
from tests.people import make_person
from tests.retrievers.edits import edit_of

pytestmark = pytest.mark.django_db


def test_it_changes_the_mirror_and_promises_the_difference(
    retriever: Retriever, adam: User
) -> None:
    change = services.edit(
        retriever.pk,
        edit_of(
            retriever,
            name="Brands",
            description="Finds\nlogos",
            tags_add=("new",),
            tags_remove=("vans",),
        ),
        actor=adam,
    )
    assert change is not None
    assert (change.ref, change.actor_name, change.state) == (retriever.ref, "adam", "queued")
    assert change.fields == {"name": "Brands", "tags": {"add": ["new"], "remove": ["vans"]}}
    assert change.base == retriever.values()
    retriever.refresh_from_db()
    assert retriever.values() == {
        "name": "Brands",
        "description": "Finds\nlogos",
        "tags": ["logos", "new"],
    }


def test_it_is_in_the_history_with_who_did_it(retriever: Retriever, adam: User) -> None:
    services.edit(retriever.pk, edit_of(retriever, name="Brands"), actor=adam)
    events = Event.objects.about(retriever.ref).values_list("action", "actor_name")[:2]
    assert list(events) == [(Action.CHANGE_QUEUED, "adam"), (Action.RETRIEVER_RENAMED, "adam")]


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"name": "Brand triage"},
        pytest.param({"description": "Finds\nlogos"}, id="{'description': 'Finds logos'}"),
        {"tags_add": ("logos",)},
        {"tags_remove": ("unknown",)},
        {"tags_add": ("x",), "tags_remove": ("x",)},
    ],
    ids=str,
)
def test_it_sends_nothing_when_nothing_changed(
    wishes: dict[str, str], retriever: Retriever, adam: User
) -> None:
    assert services.edit(retriever.pk, edit_of(retriever, **wishes), actor=adam) is None
    assert not Change.objects.exists()


def test_it_takes_the_same_edit_again_for_the_same(retriever: Retriever, adam: User) -> None:
    wish = edit_of(retriever, name="Brands", tags_add=("new",))
    first, second = (services.edit(retriever.pk, wish, actor=adam) for _ in range(2))
    assert first == second
    assert Change.objects.count() == 1


def test_it_refuses_an_old_form_with_something_else_in_it(retriever: Retriever, adam: User) -> None:
    edit_id = uuid.uuid4()
    services.edit(retriever.pk, edit_of(retriever, edit_id=edit_id, name="Brands"), actor=adam)
    with pytest.raises(services.EditIdTaken):
        services.edit(retriever.pk, edit_of(retriever, edit_id=edit_id, name="Logos"), actor=adam)
    other = make_retriever("Other")
    with pytest.raises(services.EditIdTaken):
        services.edit(other.pk, edit_of(other, edit_id=edit_id, name="Brands"), actor=adam)


def test_it_does_not_tell_which_ids_other_peoples_edits_have(
    retriever: Retriever, adam: User
) -> None:
    edit_id = uuid.uuid4()
    services.edit(retriever.pk, edit_of(retriever, edit_id=edit_id, name="Brands"), actor=adam)
    eve = make_person("eve", roles.ADMIN)
    other = make_retriever("Other")
    wish = edit_of(other, edit_id=edit_id, name="Vans")
    first, again = (services.edit(other.pk, wish, actor=eve) for _ in range(2))
    assert first == again
    assert first is not None
    assert (first.ref, first.actor_id) == (other.ref, eve.pk)


@pytest.mark.parametrize("field", ["name", "description"])
def test_it_asks_when_somebody_changed_the_same_text(
    field: str, retriever: Retriever, adam: User
) -> None:
    services.edit(retriever.pk, edit_of(retriever, **{field: "theirs"}), actor=adam)
    with pytest.raises(services.StaleEdit) as stale:
        services.edit(retriever.pk, edit_of(retriever, **{field: "mine"}), actor=adam)
    conflict = stale.value
    assert conflict.conflicts == [field]
    assert (conflict.base[field], conflict.mine[field], conflict.theirs[field]) == (
        retriever.values()[field],
        "mine",
        "theirs",
    )
    assert Change.objects.count() == 1


def test_it_puts_different_fields_of_two_people_together(retriever: Retriever, adam: User) -> None:
    services.edit(retriever.pk, edit_of(retriever, name="Brands", tags_add=("a",)), actor=adam)
    change = services.edit(
        retriever.pk,
        edit_of(retriever, name="Brand triage", description="Mine", tags_add=("b",)),
        actor=adam,
    )
    assert change is not None
    assert change.fields == {"description": "Mine", "tags": {"add": ["b"], "remove": []}}
    retriever.refresh_from_db()
    assert retriever.values() == {
        "name": "Brands",
        "description": "Mine",
        "tags": ["logos", "vans", "a", "b"],
    }


def test_it_takes_what_the_base_leaves_out_for_seen(retriever: Retriever, adam: User) -> None:
    change = services.edit(retriever.pk, edit_of(retriever, base={}, name="Brands"), actor=adam)
    assert change is not None
    assert change.fields == {"name": "Brands"}


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  \t"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "x\x00"}, "name"),
        ({"description": "x" * 10_001}, "description"),
        ({"description": "\ud800"}, "description"),
        ({"tags_add": ("",)}, "tags"),
        ({"tags_add": ("x" * 101,)}, "tags"),
        ({"tags_add": ("\x00",)}, "tags"),
        ({"tags_add": tuple(map(str, range(101)))}, "tags"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_it_says_at_the_field_what_can_never_be(
    wishes: dict[str, str], field: str, retriever: Retriever, adam: User
) -> None:
    with pytest.raises(services.InvalidEdit) as wrong:
        services.edit(retriever.pk, edit_of(retriever, **wishes), actor=adam)
    assert list(wrong.value.fields) == [field]
    assert not Change.objects.exists()


def test_it_is_for_admins(retriever: Retriever, alice: User, lena: User) -> None:
    for person in (alice, lena):
        with pytest.raises(PermissionDenied):
            services.edit(retriever.pk, edit_of(retriever, name="Brands"), actor=person)


def test_it_does_not_know_what_is_not_there(retriever: Retriever, adam: User) -> None:
    with pytest.raises(Retriever.DoesNotExist):
        services.edit(retriever.pk + 1, edit_of(retriever, name="Brands"), actor=adam)
    Retriever.objects.update(gone_at=timezone.now())
    with pytest.raises(services.RetrieverGone):
        services.edit(retriever.pk, edit_of(retriever, name="Brands"), actor=adam)


def refused(change: Change | None) -> Change:
    assert change is not None
    settle_as_refused(change, reason="no")
    return change


def test_it_takes_back_what_it_answers_and_texts_it_sets_anew(
    retriever: Retriever, adam: User
) -> None:
    named = refused(services.edit(retriever.pk, edit_of(retriever, name="Taken"), actor=adam))
    tagged = refused(services.edit(retriever.pk, edit_of(retriever, tags_add=("bad",)), actor=adam))
    described = refused(
        services.edit(retriever.pk, edit_of(retriever, description="Long"), actor=adam)
    )
    retriever.refresh_from_db()
    services.edit(retriever.pk, edit_of(retriever, name="Free", tags_add=("good",)), actor=adam)
    assert states(named, tagged, described) == ["withdrawn", "refused", "refused"]
    services.edit(retriever.pk, edit_of(retriever, answers=tagged.pk), actor=adam)
    assert states(named, tagged, described) == ["withdrawn", "withdrawn", "refused"]


def states(*changes: Change) -> list[str]:
    for change in changes:
        change.refresh_from_db()
    return [change.state for change in changes]


def test_it_takes_theirs(retriever: Retriever, adam: User, alice: User) -> None:
    Retriever.objects.update(upstream=retriever.values())
    change = refused(services.edit(retriever.pk, edit_of(retriever, name="Taken"), actor=adam))
    with pytest.raises(PermissionDenied):
        services.take_upstream_values(change, actor=alice)
    assert services.take_upstream_values(change, actor=adam)
    assert not services.take_upstream_values(change, actor=adam)
    retriever.refresh_from_db()
    assert (retriever.name, change.state) == ("Brand triage", "withdrawn")
