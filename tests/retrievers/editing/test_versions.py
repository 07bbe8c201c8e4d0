"""Earlier versions, rebuilt from the events that led away from them, and the way back to one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services
from reviewapp.retrievers.editing import edit
from reviewapp.retrievers.editing.versions import SHOWN, back_to, retriever_versions
from reviewapp.retrievers.models import Retriever
from reviewapp.retrievers.views.editing import load_versions
from tests.collapsed import collapsed
from tests.factories import make_retriever
from tests.retrievers.edits import edit_of

TAGS = st.lists(st.sampled_from("abcd"), unique=True)
VALUES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["one", "two", "three"]),
        "description": st.sampled_from(["", "x", "y"]),
        "tags": TAGS,
        "stages": st.lists(
            st.dictionaries(st.just("stage_name"), st.sampled_from("st")), max_size=2
        ),
        "input_schema": st.dictionaries(st.sampled_from("ij"), st.just({"type": "string"})),
        "collection_ids": TAGS,
    }
)


@dataclass(frozen=True)
class Happened:
    pk: int
    at: datetime
    action: str
    changes: Any = field(default_factory=dict)


def history_of(states: list[dict[str, Any]]) -> list[Happened]:
    """Return the events the triggers write for these states, newest first; none for no change."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    befores: list[dict[str, Any] | None] = [None, *states]
    events = []
    for number, (before, after) in enumerate(zip(befores, states, strict=False)):
        if before is None:
            changes = {name: [None, value] for name, value in after.items() if value}
        else:
            changes = {
                name: [before[name], value]
                for name, value in after.items()
                if before[name] != value
            }
        if changes:
            action = "retriever.created" if before is None else "retriever.renamed"
            events.append(Happened(number, began + timedelta(minutes=number), action, changes))
    return events[::-1]


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_it_rebuilds_every_state_there_ever_was(states: list[dict[str, Any]]) -> None:
    distinct = [state for at, state in enumerate(states) if at == 0 or state != states[at - 1]]
    found = list(retriever_versions(history_of(distinct), distinct[-1]))
    assert [version.values for version in found] == distinct[::-1]


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_it_passes_over_what_is_no_change_of_the_retriever(states: list[dict[str, Any]]) -> None:
    events = history_of(states)
    noise = [
        Happened(
            900, datetime.now(UTC), "change.queued", {"name": ["x", "y"], "tags": [[], ["z"]]}
        ),
        Happened(901, datetime.now(UTC), "retriever.gone", {"gone_at": [None, "2026"]}),
        Happened(902, datetime.now(UTC), "retriever.renamed", "scribbled by hand"),
        Happened(903, datetime.now(UTC), "retriever.renamed", {"name": "scribbled by hand"}),
    ]
    mixed = [one for pair in zip(events, noise * 9, strict=False) for one in pair]
    assert [one.values for one in retriever_versions(mixed, states[-1])] == [
        one.values for one in retriever_versions(events, states[-1])
    ]


@given(VALUES, VALUES)
def test_it_restores_exactly_what_was(then: dict[str, Any], now: dict[str, Any]) -> None:
    fields = back_to(then, now)
    restored = edit.apply_change(fields, {name: now[name] for name in edit.RETRIEVER_FIELDS})
    assert (restored["name"], restored["description"]) == (then["name"], then["description"])
    assert set(restored["tags"]) == set(then["tags"])
    assert bool(fields) == any(
        set(then[name]) != set(now[name]) if name == "tags" else then[name] != now[name]
        for name in edit.RETRIEVER_FIELDS
    )


@pytest.fixture
def edited_retriever(db: None, adam: User) -> Retriever:
    """A retriever that was renamed, described and tagged, one after the other."""
    found = make_retriever("first", tags=["a"])
    for wishes in (
        {"name": "second"},
        {"description": "told"},
        {"tags_add": ("b",), "tags_remove": ("a",)},
    ):
        found.refresh_from_db()
        services.edit(found.pk, edit_of(found, **wishes), actor=adam)
    found.refresh_from_db()
    return found


@pytest.mark.django_db
def test_it_rebuilds_what_the_triggers_wrote(edited_retriever: Retriever) -> None:
    found = load_versions(edited_retriever)
    assert [
        (one.values["name"], one.values["description"], one.values["tags"]) for one in found
    ] == [
        ("second", "told", ["b"]),
        ("second", "told", ["a"]),
        ("second", "", ["a"]),
        ("first", "", ["a"]),
    ]
    assert all(set(one.values) == set(SHOWN) for one in found)


@pytest.mark.django_db
def test_it_shows_each_version_and_how_it_would_be_restored(
    client: Client, adam: User, edited_retriever: Retriever
) -> None:
    client.force_login(adam)
    page = client.get(reverse("retriever", args=[edited_retriever.pk]))
    for one in page.context["versions"]:
        address = reverse("retriever_version", args=[edited_retriever.pk, one.event.pk])
        assert address in page.content.decode()
        assert f'<a href="{address}">Version {one.number}</a>' in collapsed(page)
        assert f"<h1>Version {one.number}" in collapsed(client.get(address))
    assert [one.number for one in page.context["versions"]] == [4, 3, 2, 1]
    oldest = load_versions(edited_retriever)[-1]
    first = client.get(reverse("retriever_version", args=[edited_retriever.pk, oldest.event.pk]))
    assert [(diff.name, diff.old, diff.new) for diff in first.context["restoring"]] == [
        ("description", "told", ""),
        ("name", "second", "first"),
        ("tags", "b", "a"),
    ]
    draft = first.context["draft"]
    data = {
        "edit_id": draft.edit_id,
        "restores": oldest.event.pk,
        "base": draft.base_json,
        "name": draft.name,
        "description": draft.description,
    }
    tags = {"add_exactly": list(draft.added), "remove": list(draft.removed)}
    assert (
        client.post(reverse("edit_retriever", args=[edited_retriever.pk]), data | tags).status_code
        == 302
    )
    edited_retriever.refresh_from_db()
    assert edited_retriever.values() == {"name": "first", "description": "", "tags": ["a"]}
    assert Change.objects.latest("pk").base["name"] == "second"
    assert f'name="restores" value="{oldest.event.pk}"' in first.content.decode()
    notes = [entry.note for entry in timeline(edited_retriever.ref)]
    assert notes[0] == "restores version 1"
    assert not [note for note in notes[1:] if "restores" in note]


@pytest.mark.django_db
def test_it_numbers_versions_when_it_lists_only_the_newest(
    edited_retriever: Retriever,
) -> None:
    for number in range(40):
        Retriever.objects.filter(pk=edited_retriever.pk).update(description=f"edit {number}")
    edited_retriever.refresh_from_db()

    numbers = [version.number for version in load_versions(edited_retriever)]
    assert 1 < len(numbers) < 44
    assert numbers == list(range(44, 44 - len(numbers), -1))


@pytest.mark.django_db
def test_it_calls_an_edit_a_restore_only_if_it_is_one(
    client: Client, adam: User, edited_retriever: Retriever
) -> None:
    oldest = load_versions(edited_retriever)[-1]
    client.force_login(adam)
    page = client.get(reverse("edit_retriever", args=[edited_retriever.pk]))
    data = {
        "edit_id": page.context["draft"].edit_id,
        "restores": oldest.event.pk,
        "base": page.context["draft"].base_json,
        "name": "another",
        "description": "told",
    }
    client.post(reverse("edit_retriever", args=[edited_retriever.pk]), data)
    notes = [entry.note for entry in timeline(edited_retriever.ref)]
    assert not [note for note in notes if "restores" in note]


@pytest.mark.django_db
def test_it_shows_each_difference_once(
    client: Client, adam: User, edited_retriever: Retriever
) -> None:
    stage = {"stage_name": "search", "stage_type": "filter"}
    client.force_login(adam)
    address = reverse(
        "retriever_version",
        args=[edited_retriever.pk, load_versions(edited_retriever)[-1].event.pk],
    )
    same_pipeline = client.get(address)
    assert same_pipeline.context["diffs"] == ()
    assert "Not restored" not in same_pipeline.content.decode()
    assert same_pipeline.content.decode().count('<dl class="diffs">') == 1
    Retriever.objects.filter(pk=edited_retriever.pk).update(stages=[stage], name="third")
    page = client.get(address)
    names = [diff.name for part in ("restoring", "diffs") for diff in page.context[part]]
    assert sorted({*names}) == sorted(names)
    assert {"name", "description", "tags"} == {diff.name for diff in page.context["restoring"]}
    assert all(diff.name.startswith("stages") for diff in page.context["diffs"])
    assert "can only be changed at Mixpeek." in " ".join(page.content.decode().split())


@pytest.mark.django_db
def test_it_restores_nothing_for_whom_it_is_not(
    client: Client, alice: User, edited_retriever: Retriever
) -> None:
    client.force_login(alice)
    address = reverse(
        "retriever_version",
        args=[edited_retriever.pk, load_versions(edited_retriever)[-1].event.pk],
    )
    page = client.get(address)
    assert page.context["draft"] is None
    assert "Only admins can restore" in page.content.decode()
    assert client.post(address).status_code == 405
    assert (
        client.get(reverse("retriever_version", args=[edited_retriever.pk, 1])).status_code == 404
    )
    assert (
        client.get(reverse("retriever_version", args=[edited_retriever.pk + 9, 1])).status_code
        == 404
    )
