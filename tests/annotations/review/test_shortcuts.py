"""Keyboard shortcuts: the docs agree, a person's own keys never clash, no script is needed."""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.annotations.review.shortcuts import KEYS, QUEUE_KEYS, Shortcut, for_person, for_queue
from tests.factories import make_annotation

DOCS = Path(settings.BASE_DIR) / "docs" / "keys.md"


def _row(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("`", "") for cell in line.strip("|\n").split("|"))


def key_table(response: Any) -> list[dict[str, Any]]:
    """Return the table of keys that a page gives to its script."""
    html = response.content.decode()
    match = re.search(r'<script id="key-table" type="application/json">(.*?)</script>', html)
    assert match
    table: list[dict[str, Any]] = json.loads(match[1])
    return table


def test_it_says_in_the_docs_what_the_code_does() -> None:
    documented = [_row(line) for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    expected = []
    for key in (*KEYS, *QUEUE_KEYS):
        combinations = " or ".join(" + ".join(parts) for parts in key.shown)
        while_typing = "yes" if key.typing else ""
        expected.append((key.action, combinations, key.sentence, while_typing))
    assert documented == expected


@pytest.mark.parametrize("table", [KEYS, QUEUE_KEYS])
def test_it_gives_no_key_to_two_actions(table: tuple[Shortcut, ...]) -> None:
    every = list(chain.from_iterable(key.keys for key in table))
    assert len(every) == len(set(every))


def test_it_has_the_same_single_keys_on_the_queue() -> None:
    assert for_queue({}) == QUEUE_KEYS


def test_it_lets_two_actions_change_keys() -> None:
    mine = {key.action: key.single for key in for_person({"skip": "d", "defer": "s"})}
    assert (mine["skip"], mine["defer"]) == ("d", "s")


@pytest.mark.parametrize("bad", ["", "ab", "7", " ", "\n", 7, None, ["q"]])
def test_it_leaves_out_what_is_no_key(bad: object) -> None:
    assert for_person({"skip": bad}) == KEYS


@given(
    st.dictionaries(
        st.sampled_from([key.action for key in KEYS] + ["nonsense"]), st.text(max_size=2)
    )
)
def test_it_never_gives_one_key_to_two_actions_whatever_a_person_chose(
    key_map: dict[str, str],
) -> None:
    singles = [key.single for key in for_person(key_map) if key.single]
    assert len(singles) == len(set(singles)) == len([key for key in KEYS if key.single])


@pytest.mark.django_db
def test_it_sends_the_table_with_a_persons_own_keys(client: Client, alice: User) -> None:
    alice.key_map = {"skip": "q", "search": "-"}
    alice.save()
    client.force_login(alice)

    table = key_table(client.get(reverse("review", args=[make_annotation().pk])))
    skip = {"action": "skip", "keys": ["q"], "typing": False}
    assert {**skip, "sentence": "Skip: leave it to others"} in table

    keys = {row["action"]: row["keys"] for row in key_table(client.get(reverse("queue")))}
    assert (keys["search"], keys["sheet"]) == (["-"], ["?"])


@pytest.mark.django_db
def test_it_sends_no_key_that_a_person_has_switched_off(client: Client, alice: User) -> None:
    alice.single_keys = False
    alice.save()
    client.force_login(alice)
    page = client.get(reverse("review", args=[make_annotation().pk]))
    assert b'data-single-keys="off"' in page.content
    for response in (page, client.get(reverse("queue"))):
        keys = set(chain.from_iterable(row["keys"] for row in key_table(response)))
        assert "Mod+z" in keys
        assert {key for key in keys if not key.startswith(("Mod+", "Alt+"))} <= {"Escape"}


@pytest.mark.django_db
def test_it_shows_the_keys_of_the_queue_by_group(client: Client, alice: User) -> None:
    alice.key_map = {"item_next": "n"}
    alice.save()
    client.force_login(alice)
    page = client.get(reverse("queue")).content.decode()
    sheet = page[page.index('id="keys"') : page.index('id="palette"')]
    rows = re.findall(r"<kbd[^>]*>(.+?)</kbd></span>\s*</th>\s*<td>(.+?)(?: <span|</td>)", sheet)
    assert rows == [
        ("X", "Select the row, to decide several together"),
        ("N", "Select the row and the next one"),
        ("K", "Select the row and the previous one"),
        ("Esc", "Clear the selection"),
        ("Z", "Undo my last decision, skip or defer"),
        ("N", "Next row"),
        ("K", "Previous row"),
        ("Enter", "Open the row"),
        ("/", "Search the queue"),
        ("K", "Go to a page, an item or an action"),
        ("?", "Show this list of keys"),
    ]
    assert re.findall(r'<th scope="rowgroup"[^>]*>(.+?)</th>', sheet) == ["Decide", "Move", "Page"]


@pytest.mark.django_db
def test_it_shows_no_key_that_a_person_has_switched_off(client: Client, alice: User) -> None:
    url = reverse("review", args=[make_annotation(label="logo").pk])
    client.force_login(alice)
    page = client.get(url).content.decode()
    assert '<kbd aria-hidden="true">1</kbd>' in page
    assert "Choose label 1 to 10" in page

    alice.single_keys = False
    alice.save()
    page = client.get(url).content.decode()
    assert '<kbd aria-hidden="true">1</kbd>' not in page
    assert "Choose label 1 to 10" not in page
    assert "Submit and open the next item" in page
