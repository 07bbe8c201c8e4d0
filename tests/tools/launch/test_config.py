"""What a launch is made of, as the environment asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tools.launch.config import ROOT, SANDBOX_KEY, Plan


def test_it_needs_no_environment() -> None:
    plan = Plan.read({})
    assert (plan.url, plan.var, plan.sandbox) == ("http://127.0.0.1:8000/", ROOT / "var", True)


def test_it_points_the_children_at_the_sandbox() -> None:
    seen = Plan.read({}).child_variables(
        database_url="postgresql:///x",
        secret_key="s",
        sandbox_port=9,
    )
    assert seen["MIXPEEK_BASE_URL"] == seen["MEDIA_HOSTS"] == "http://127.0.0.1:9"
    assert seen["MIXPEEK_API_KEY"] == SANDBOX_KEY
    assert seen["DATABASE_URL"] == "postgresql:///x"


def test_it_leaves_mixpeek_alone_when_there_is_a_key() -> None:
    plan = Plan.read({"MIXPEEK_API_KEY": "sk_live"})
    seen = plan.child_variables(database_url="postgresql:///x", secret_key="s", sandbox_port=0)
    assert not plan.sandbox
    assert not [name for name in seen if name.startswith(("MIXPEEK", "MEDIA"))]


def test_it_keeps_the_state_of_different_data_apart() -> None:
    own, other, sample = (Plan.read({"SANDBOX_DATA": data}) for data in ("/a/data", "/b/data", ""))
    states = {plan.sandbox_command(1)[-3] for plan in (own, other, sample)}
    assert len(states) == 3
    assert own.sample == Path("/a/data")


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "0"), ("PORT", "65536"), ("DATABASE_URL", "mysql://db/x")],
)
def test_it_names_a_wrong_variable(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} is "):
        Plan.read({name: value})
