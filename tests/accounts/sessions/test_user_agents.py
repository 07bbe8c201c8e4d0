"""What browsers are called in the list of sessions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.accounts.sessions.user_agents import describe_user_agent

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {_CHROME}", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Edg/156.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 16) {_CHROME}", "Chrome on Android"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.0", "curl"),
        ("Firefox on a desk", "Firefox on a desk"),
        ("", "An unknown browser"),
    ],
)
def test_it_calls_browsers_by_their_names(said: str, name: str) -> None:
    assert describe_user_agent(said) == name


@given(st.text())
def test_it_says_something_short_about_anything(said: str) -> None:
    assert 0 < len(describe_user_agent(said)) <= 60
