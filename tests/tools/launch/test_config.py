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
    states = {plan.sandbox_command(1)[-1] for plan in (own, other, sample)}
    assert len(states) == 3
    assert own.sample == Path("/a/data")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "not a host"),
        ("HOST", "127.0.0.1:80"),
        ("SCRIPT_NAME", "review"),
        ("SCRIPT_NAME", "/a//b"),
        ("SCRIPT_NAME", "/../b"),
        ("SCRIPT_NAME", "/a b"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("DATABASE_URL", "mysql://db/x"),
    ],
)
def test_it_names_a_wrong_variable(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} is "):
        Plan.read({name: value})


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"HOST": "0.0.0.0"}, "http://127.0.0.1:8000/"),
        ({"HOST": "::"}, "http://[::1]:8000/"),
        ({"HOST": "::1", "PORT": "81"}, "http://[::1]:81/"),
        ({"HOST": "[::1]"}, "http://[::1]:8000/"),
        ({"HOST": "review.lan"}, "http://review.lan:8000/"),
        ({"SCRIPT_NAME": "/tools/review/"}, "http://127.0.0.1:8000/tools/review/"),
    ],
)
def test_it_prints_the_url_of_the_host_and_the_path(variables: dict[str, str], url: str) -> None:
    assert Plan.read(variables).url == url
