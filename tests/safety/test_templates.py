"""No template asks for what the policy forbids: scripts and styles of ours are files."""

from __future__ import annotations

import re

import pytest

from tests.rules.markup import names, source

FORBIDDEN = {
    "an inline script": re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", re.IGNORECASE
    ),
    "an inline style sheet": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a handler of htmx": re.compile(r"\bhx-on\b|\bhx-vals=['\"]js:|\bhx-vars\b", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "something from elsewhere": re.compile(r"(?:src|href)=\"(?:https?:)?//", re.IGNORECASE),
    "text taken for HTML": re.compile(r"\|\s*safe\b|autoescape\s+off|\|\s*safeseq\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_it_holds_nothing_that_the_policy_forbids(what: str) -> None:
    matches = {name: FORBIDDEN[what].search(source(name)) for name in names()}
    offenders = [
        f"{name} holds {what}: {match.group(0)[:80]}" for name, match in matches.items() if match
    ]

    assert not offenders, "\n".join(offenders)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("an inline script", "<script>alert(1)</script>"),
        ("an inline style sheet", "<style>p{}</style>"),
        ("a style attribute", '<p class="x"\n style="color:red">'),
        ("an event attribute", '<a href="/" onclick="x()">'),
        ("a handler of htmx", '<a hx-on:click="x()">'),
        ("a javascript: address", '<a href="javascript:x()">'),
        ("something from elsewhere", '<script src="https://cdn.example/x.js">'),
        ("text taken for HTML", "{{ note|safe }}"),
    ],
)
def test_it_would_notice(what: str, text: str) -> None:
    assert FORBIDDEN[what].search(text)


@pytest.mark.parametrize(
    "text",
    ['<script defer src="x.js"></script>', '<label for="one">', "{{ data|json_script:'x' }}"],
)
def test_it_minds_nothing_else(text: str) -> None:
    assert not any(pattern.search(text) for pattern in FORBIDDEN.values())


def test_it_looks_at_all_pages() -> None:
    assert {"base.html", "login.html", "preferences.html"} <= {
        name.rpartition("/")[2] for name in names()
    }
