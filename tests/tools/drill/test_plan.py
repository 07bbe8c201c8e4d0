"""What chance decides is decided by the seed alone, and everything there is to try is tried."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.drill import plan
from tools.drill.clients.reviewer import fill_form
from tools.drill.plan import Step, planned_faults, steps
from tools.sandbox.faults import Script

# What there is in storms so long that no kind is left out by chance.
KINDS = {blow.kind for seed in range(5) for blow in planned_faults(seed, submits=10_000)}


def first_step_with(names: set[str]) -> Step:
    """Return the first step of a plan that types at least these fields."""
    for step in steps(1, submits=400, clients=1, client=0):
        if set(step.typed) >= names:
            return step
    raise AssertionError(f"no step types {names}")


@given(seed=st.integers(0, 10**6), submits=st.integers(1, 400), clients=st.integers(1, 20))
def test_it_shares_exactly_so_many_submits_among_all(seed: int, submits: int, clients: int) -> None:
    whole: list[Step] = []
    for number in range(clients):
        whole += steps(seed, submits=submits, clients=clients, client=number)
    assert len(whole) == submits
    assert len({step.name for step in whole}) == submits
    assert all(0 <= step.item < plan.items(submits) for step in whole)


def test_it_repeats_itself_with_the_same_seed_only() -> None:
    again = [steps(seed, submits=200, clients=2, client=1) for seed in (7, 7, 8)]
    assert again[0] == again[1] != again[2]
    storms = [planned_faults(seed, submits=3000) for seed in (7, 7, 8)]
    assert storms[0] == storms[1] != storms[2]


@pytest.mark.parametrize("submits", [20, 500, 10_000])
def test_it_deals_every_kind_of_blow_in_the_order_of_their_time(submits: int) -> None:
    storm = planned_faults(3, submits=submits)
    assert {blow.kind for blow in storm} == KINDS
    assert [blow.at for blow in storm] == sorted(blow.at for blow in storm)
    assert all(0 < blow.at < 1 for blow in storm)
    assert len(storm) >= submits / 100


def test_it_writes_scripts_that_the_sandbox_takes() -> None:
    script = Script()
    for seed in range(20):
        for blow in planned_faults(seed, submits=2000):
            script.add(list(blow.script))
    assert script.left()


def test_it_does_everything_that_reviewers_do() -> None:
    whole = steps(1, submits=2000, clients=1, client=0)
    assert {step.way for step in whole} == {"once", "again", "twice at once"}
    typed_names = set().union(*(step.typed for step in whole))
    assert typed_names == {"label", "confidence", "reasoning", "payload"}
    assert {step.cannot_tell for step in whole} == {step.yields for step in whole} == {True, False}
    hot = [step for step in whole if step.item < plan.items(2000) // 50]
    assert len(hot) > 400
    assert [step.edit.values for step in whole if step.edit]


def test_it_fills_in_what_is_typed_and_keeps_the_rest_of_the_form() -> None:
    step = first_step_with({"label", "payload"})
    form = {
        "decision_id": "d",
        "base": "{}",
        "choice": "logo",
        "label": "",
        "confidence": "0.5",
        "payload": "{}",
    }
    data, wish, _ = fill_form(form, step)
    assert (data["decision_id"], data["choice"], data["label"]) == ("d", "", step.typed["label"])
    assert wish == {
        name: json.loads(text) if name in {"payload", "confidence"} else text
        for name, text in step.typed.items()
    }


def test_it_gives_up_what_is_contested_where_the_step_says_so() -> None:
    whole = steps(1, submits=400, clients=1, client=0)
    (step,) = [
        candidate
        for candidate in whole
        if candidate.yields and set(candidate.typed) == {"label", "reasoning"}
    ][:1]
    data, wish, words = fill_form({"asked": "label confidence"}, step)
    assert (data["keep_label"], data["keep_confidence"]) == ("theirs", "mine")
    assert set(wish) == {"reasoning"}
    assert words == {"confidence": None, "reasoning": step.typed["reasoning"]}


def test_it_takes_what_the_form_said_already_for_nothing_said() -> None:
    step = first_step_with({"label", "payload"})
    form = {"base": json.dumps({"label": step.typed["label"], "confidence": 0.5})}
    data, wish, _ = fill_form(form, step)
    assert data["label"] == step.typed["label"]
    assert set(wish) == set(step.typed) - {"label"}


def test_it_takes_the_machines_confidence_for_somebodys_word_once_it_is_typed() -> None:
    (step,) = [
        candidate
        for candidate in steps(1, submits=400, clients=1, client=0)
        if set(candidate.typed) == {"confidence"}
    ][:1]
    seen = {"label": "logo", "confidence": float(step.typed["confidence"])}
    for began_with, typed in ([], {"confidence": seen["confidence"]}), (["confidence"], {}):
        _, wish, words = fill_form({"base": json.dumps({**seen, "given": began_with})}, step)
        assert wish == typed
        assert words == {"confidence": seen["confidence"], "reasoning": ""}
