"""Whose hand made a version: ours by name, another holder of our key, another key, the machine."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.annotations.mirror import authorship, version_authors
from reviewapp.annotations.mirror.authorship import AuthorKind
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change
from tests.factories import make_annotation, make_change

OURS, THEIRS = "key_ours", "key_theirs"
NOW = {"label": "c", "confidence": 0.5, "reasoning": "", "payload": {}, "metadata": None}


def edit(version: int, by: str = OURS, by_type: str = "api_key", **prior: Any) -> dict[str, Any]:
    at = "2026-11-01T00:00:00+00:00"
    return {
        "version": version,
        "prior": prior,
        "edited_at": at,
        "edited_by": by,
        "edited_by_type": by_type,
    }


def row(*revisions: dict[str, Any], **values: Any) -> Annotation:
    given = {
        "annotation_id": "ann_1",
        "upstream": NOW,
        "version": len(revisions) + 1,
        "revisions": list(revisions),
    }
    return Annotation(**given | {"actor_id": "system", "actor_type": "system"} | values)


def delivered(version: int | None, name: str = "alice", verb: str = "set", **fields: Any) -> Change:
    return Change(version=version, actor_name=name, verb=verb, fields=fields, state="delivered")


def authorship_of(*args: Any) -> list[tuple[int, AuthorKind, str]]:
    return [(one.version, one.whose, one.name) for one in authorship.upstream_versions(*args)]


def test_it_names_the_person_behind_a_version_that_we_delivered() -> None:
    annotation = row(edit(1, label="a"), edit(2, by=THEIRS, label="b"))
    assert authorship_of(annotation, [delivered(2, label="b")]) == [
        (3, AuthorKind.ELSEWHERE, THEIRS),
        (2, AuthorKind.OURS, "alice"),
        (1, AuthorKind.MACHINE, "system"),
    ]


def test_it_tells_another_holder_of_our_key_from_another_key() -> None:
    annotation = row(edit(1, by=OURS, label="a"), edit(2, by=THEIRS, by_type="user", label="b"))
    found = authorship.with_our_key(authorship.upstream_versions(annotation, []), {OURS})
    assert [one.who for one in found] == [
        "another user (key_theirs)",
        "another holder of our key",
        "the machine",
    ]


@pytest.mark.parametrize(
    "change",
    [
        delivered(3, label="b"),
        delivered(None, label="b"),
        delivered(2, label="another"),
        delivered(2, confidence=0.5),
        delivered(2),
    ],
)
def test_it_claims_no_version_for_a_change_that_did_not_make_it(change: Change) -> None:
    annotation = row(edit(1, by=THEIRS, label="a"), edit(2, by=THEIRS, label="b"))
    assert authorship_of(annotation, [change])[1] == (2, AuthorKind.ELSEWHERE, THEIRS)


def test_it_knows_who_created_it() -> None:
    annotation = row(actor_id=OURS, actor_type="api_key")
    assert authorship_of(annotation, [delivered(1, verb="create", label="c")]) == [
        (1, AuthorKind.OURS, "alice")
    ]
    assert authorship_of(annotation, []) == [(1, AuthorKind.ELSEWHERE, OURS)]


def test_it_never_takes_the_machine_for_a_person() -> None:
    annotation = row(edit(1, by="system", by_type="system", label="a"))
    assert authorship_of(annotation, [delivered(2, label="c")])[0] == (
        2,
        AuthorKind.MACHINE,
        "system",
    )


def test_it_shows_what_each_version_changed() -> None:
    annotation = row(edit(1, label="a", reasoning=None), edit(2, label="b", confidence=None))
    third, second, first = authorship.upstream_versions(annotation, [])
    assert third.changes == {"label": ["b", "c"], "confidence": [None, 0.5]}
    assert second.changes == {"label": ["a", "b"], "reasoning": ["", ""]}
    assert first.changes == {"label": [None, "a"]}


def test_it_stops_where_revisions_are_missing() -> None:
    assert [one[0] for one in authorship_of(row(edit(3, label="b"), version=4), [])] == [4]
    assert [one[0] for one in authorship_of(row(edit(1, label="b"), version=4), [])] == []


@pytest.mark.parametrize("values", [{"version": None}, {"annotation_id": None}])
def test_it_tells_nothing_without_versions(values: dict[str, Any]) -> None:
    assert authorship_of(row(**values), []) == []


_LABELS = st.sampled_from("abc")


@given(st.lists(st.tuples(_LABELS, st.sampled_from([OURS, THEIRS]), st.booleans()), max_size=6))
def test_it_names_exactly_those_versions_that_were_delivered(
    edits: list[tuple[str, str, bool]],
) -> None:
    labels = [label for label, _, _ in edits] + ["c"]
    revisions = [edit(at, by=by, label=label) for at, (label, by, _) in enumerate(edits, 1)]
    changes = [
        delivered(at + 1, label=labels[at])
        for at, (_, _, is_ours) in enumerate(edits, 1)
        if is_ours
    ]
    found = authorship.upstream_versions(row(*revisions), changes)
    ours = {one.version for one in found if one.whose is AuthorKind.OURS}
    assert ours == {change.version for change in changes}
    assert [one.version for one in found] == list(range(len(edits) + 1, 0, -1))


def test_it_learns_our_key_from_what_was_delivered(db: None) -> None:
    known = make_annotation(version=2, revisions=[edit(1, label="a")])
    make_change(known, state="delivered", version=2, fields={"label": "logo"}, actor_name="alice")
    other = make_annotation(
        version=3, revisions=[edit(1, label="a"), edit(2, by=THEIRS, label="b")]
    )
    assert [one.whose for one in version_authors.versions_with_authors(other)] == [
        AuthorKind.ELSEWHERE,
        AuthorKind.OUR_KEY,
        AuthorKind.MACHINE,
    ]
    assert version_authors.versions_with_authors(known)[0].who == "alice"
