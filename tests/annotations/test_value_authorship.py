"""Whether a person gave a value: the table in `value_authorship.py`, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.value_authorship import (
    given_before_decision,
    given_by_people,
    machine_values,
    machine_words,
)
from reviewapp.outbox.models import Change

PROPOSED = {
    "label": "logo",
    "confidence": 0.31,
    "reasoning": "blurred",
    "payload": {},
    "metadata": None,
}


def annotation(**values: Any) -> Annotation:
    """Return an annotation, not stored, that holds what the machine proposed, except for `values`."""
    held = {
        "label": "logo",
        "confidence": 0.31,
        "reasoning": "blurred",
        "proposed": PROPOSED,
        "actor_type": "system",
    }
    return Annotation(ref="annotations/ann_1", annotation_id="ann_1", version=1, **held | values)


def change(state: str = "delivered", **fields: Any) -> Change:
    return Change(ref="annotations/ann_1", fields=fields, state=state)


def revision(by_type: str, decision_id: str = "", **prior: Any) -> dict[str, Any]:
    edit = {
        "version": 1,
        "prior": prior,
        "edited_at": None,
        "edited_by": "x",
        "edited_by_type": by_type,
    }
    return edit | ({"decision_id": decision_id} if decision_id else {})


@pytest.mark.parametrize(
    ("row", "changes", "given"),
    [
        pytest.param(annotation(), [], set(), id="the system created it"),
        pytest.param(annotation(actor_type="api_key"), [], set(), id="an API key created it"),
        pytest.param(
            annotation(actor_type="user", proposed={}),
            [],
            {"confidence", "reasoning"},
            id="a user created it",
        ),
        pytest.param(
            annotation(actor_type="api_key", proposed={}),
            [],
            {"confidence", "reasoning"},
            id="our stamp was on it from the beginning",
        ),
        pytest.param(
            annotation(confidence=None, reasoning="", actor_type="user", proposed={}),
            [],
            set(),
            id="it is blank",
        ),
        pytest.param(
            annotation(confidence=0.9),
            [change(confidence=0.9)],
            {"confidence"},
            id="a delivered change",
        ),
        pytest.param(
            annotation(confidence=0.9),
            [change("queued", confidence=0.9)],
            {"confidence"},
            id="a waiting change",
        ),
        pytest.param(
            annotation(confidence=0.9),
            [change("withdrawn", confidence=0.9)],
            set(),
            id="a change that was withdrawn",
        ),
        pytest.param(
            annotation(confidence=0.9),
            [change(confidence=0.8)],
            set(),
            id="a change that set another value",
        ),
        pytest.param(
            annotation(),
            [change(reasoning="blurred")],
            {"reasoning"},
            id="a person took the machine's reasoning over",
        ),
        pytest.param(annotation(), [change(label="logo")], set(), id="a bare confirmation"),
        pytest.param(
            annotation(reasoning="sharp", revisions=[revision("user", reasoning="blurred")]),
            [],
            {"reasoning"},
            id="a user's revision",
        ),
        pytest.param(
            annotation(
                reasoning="sharp",
                actor_type="api_key",
                revisions=[revision("api_key", reasoning="blurred")],
            ),
            [],
            {"reasoning"},
            id="an API key's revision",
        ),
        pytest.param(
            annotation(reasoning="sharp", revisions=[revision("system", reasoning="blurred")]),
            [],
            set(),
            id="the system's revision",
        ),
        pytest.param(
            annotation(
                reasoning="sharp", revisions=[revision("system", "0f", reasoning="blurred")]
            ),
            [],
            {"reasoning"},
            id="a revision with our stamp",
        ),
        pytest.param(
            annotation(
                reasoning="newer",
                revisions=[
                    revision("user", reasoning="blurred"),
                    revision("system", reasoning="sharp"),
                ],
            ),
            [],
            set(),
            id="the newest revision of the field decides",
        ),
        pytest.param(
            annotation(
                confidence=0.9,
                revisions=[revision("user", confidence=0.31), revision("system", label="logo")],
            ),
            [],
            {"confidence"},
            id="a revision of another field decides nothing",
        ),
    ],
)
def test_it_tells_whether_a_person_gave_it(
    row: Annotation, changes: list[Change], given: set[str]
) -> None:
    assert given_by_people(row, changes) == given


def test_it_shows_the_machines_values_also_when_a_person_gave_others() -> None:
    row = annotation(label="van", confidence=0.9)
    assert machine_values(row, {"confidence"}) == {
        "label": "logo",
        "confidence": 0.31,
        "reasoning": "blurred",
    }


def test_it_shows_what_the_machine_said_last() -> None:
    row = annotation(confidence=0.4, revisions=[revision("system", confidence=0.31)])
    assert machine_values(row, ())["confidence"] == 0.4


def test_it_shows_nothing_where_the_machine_proposed_nothing() -> None:
    assert machine_values(annotation(proposed={}), ()) == {}


@pytest.mark.parametrize(
    ("own_words", "values", "repeated"),
    [
        (False, {"confidence": 0.31, "reasoning": "blurred"}, ["confidence", "reasoning"]),
        (False, {"confidence": 0.31, "reasoning": "sharp"}, ["confidence"]),
        (False, {"confidence": None, "reasoning": ""}, []),
        (True, {"confidence": 0.31, "reasoning": "blurred"}, []),
    ],
)
def test_it_names_what_an_old_decision_repeats(
    own_words: bool, values: dict[str, Any], repeated: list[str]
) -> None:
    assert machine_words(own_words, values, PROPOSED) == repeated


@pytest.mark.parametrize(
    ("base", "given"),
    [
        ({"confidence": 0.31, "reasoning": "sharp", "given": ["confidence"]}, {"confidence"}),
        ({"confidence": 0.31, "reasoning": "blurred", "given": []}, set()),
        ({"confidence": 0.31, "reasoning": "blurred"}, set()),
        ({"confidence": 0.31, "reasoning": "sharp"}, {"reasoning"}),
    ],
)
def test_it_tells_what_a_person_had_given_before_a_decision(
    base: dict[str, Any], given: set[str]
) -> None:
    assert given_before_decision(base, PROPOSED) == given
