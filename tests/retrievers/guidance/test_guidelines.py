"""The guidelines: written in Markdown, shown sanitised, a version each time."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.retrievers.guidance.markdown import render_markdown
from reviewapp.retrievers.models import Guidelines, Retriever
from tests.factories import make_annotation

EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,hi)",
    "![x](https://elsewhere.example/pixel.png)",
    "<a href='x' style='position:fixed' onclick='y'>x</a>",
    "<iframe src='https://elsewhere.example'></iframe>",
    '[x](https://a.example "\\" onmouseover=\\"y")',
]


@pytest.mark.parametrize("text", EVIL)
def test_it_renders_nothing_that_could_do_anything(text: str) -> None:
    assert harmless(render_markdown(text))


@given(
    st.lists(
        st.sampled_from([*EVIL, "# ", "**", "`", "\n", "> ", "| a |", "[", "](", "<!--", "&lt;"])
    ).map("".join)
)
def test_it_renders_nothing_harmful_whatever_is_put_together(text: str) -> None:
    assert harmless(render_markdown(text))


def harmless(markup: str) -> bool:
    tags = re.findall(r"<[^>]*>", markup)
    bad = re.compile(
        r"<\s*/?(script|img|iframe|style|svg)|\son\w+\s*=|\sstyle\s*=|href=\"(?!https?:|mailto:|#|/|\w*[^:\w]|\w+\")"
    )
    return not any(
        bad.search(html.unescape(re.sub(r'title="[^"]*"', "", tag)).casefold()) for tag in tags
    )


def test_it_renders_what_people_write() -> None:
    markup = render_markdown(
        "# When\n\n- **logo**: seen\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[more](https://example.com)"
    )
    for part in (
        "<h1>When</h1>",
        "<strong>logo</strong>",
        "<table>",
        '<a href="https://example.com" rel=',
    ):
        assert part in markup


def post(client: Client, retriever: Retriever, **data: Any) -> Any:
    return client.post(
        reverse("guidelines", args=[retriever.pk]), {"base_version": "0", "text": "Look."} | data
    )


def test_it_makes_a_version_and_shows_it_beside_the_task(
    client: Client, adam: User, alice: User, retriever: Retriever
) -> None:
    client.force_login(adam)
    assert post(client, retriever, text="Look **twice**.\r\n").status_code == 302
    assert Guidelines.objects.get().text == "Look **twice**.\n"
    assert post(client, retriever, text="Look **twice**.\n", base_version="1").status_code == 302
    assert Guidelines.objects.count() == 1
    assert Event.objects.about(retriever.ref)[0].action == Action.GUIDELINES_WRITTEN
    client.force_login(alice)
    page = client.get(reverse("review", args=[make_annotation(retriever).pk])).content.decode()
    assert "<strong>twice</strong>" in page
    assert 'data-key-of="guidelines"' in page
    assert (
        "<strong>twice</strong>"
        in client.get(reverse("retriever", args=[retriever.pk])).content.decode()
    )


@pytest.mark.django_db
def test_it_shows_no_section_where_there_are_none(client: Client, alice: User) -> None:
    client.force_login(alice)
    page = client.get(reverse("review", args=[make_annotation().pk])).content.decode()
    assert 'data-action-target="guidelines"' not in page


def test_it_looks_first_and_saves_nothing(client: Client, adam: User, retriever: Retriever) -> None:
    client.force_login(adam)
    page = post(client, retriever, text="*Soft*", act="look")
    assert "<em>Soft</em>" in page.content.decode()
    assert not Guidelines.objects.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x" * 50_001, "at most 50,000 characters (these have 50,001)"),
        ("a\x00b", "cannot be stored"),
    ],
)
def test_it_says_what_is_wrong(
    client: Client, adam: User, retriever: Retriever, text: str, sentence: str
) -> None:
    client.force_login(adam)
    reply = post(client, retriever, text=text)
    assert reply.status_code == 422
    assert sentence in reply.content.decode()


def test_it_is_for_admins(
    client: Client, alice: User, lena: User, adam: User, retriever: Retriever
) -> None:
    for person in (alice, lena):
        client.force_login(person)
        assert client.get(reverse("guidelines", args=[retriever.pk])).status_code == 403
        assert post(client, retriever).status_code == 403
    client.force_login(adam)
    assert client.get(reverse("guidelines", args=[retriever.pk])).status_code == 200
    assert client.get(reverse("guidelines", args=[retriever.pk + 1])).status_code == 404
    assert client.put(reverse("guidelines", args=[retriever.pk])).status_code == 405
