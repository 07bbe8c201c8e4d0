"""A form whose hidden fields are damaged is never a 500."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.outbox.services import pause
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels, write_guidelines
from tests.factories import (
    make_annotation,
    make_change,
    make_execution,
    make_result,
    make_retriever,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

BASE = {
    "label": "logo",
    "confidence": 0.5,
    "reasoning": "",
    "payload": {},
    "decision": None,
    "given": [],
}
OF_EVERY_PAGE = {"/accounts/logout/", "/preferences/theme"}
BASES = ["base", "was_base"]
EDIT_BASE = {"name": "Brands", "description": "", "tags": []}
DAMAGED = [
    "",
    "x",
    "-1",
    "9" * 40,
    "null",
    "\0",
    "a\r\nb",
    "[" * 5000,
    '{"decision": "x"}',
    "//[",
    "review",
]
NO_VALUES: list[Any] = ["x", 10**30, [], {}, None, "\ud800"]
DAMAGED_BASES = [
    '{"a": NaN}',
    *(json.dumps(BASE | {name: wrong}) for name in BASE for wrong in NO_VALUES),
]
# One value that is none for each part: enough where the same reader takes the base.
A_FEW_DAMAGED_BASES = [DAMAGED_BASES[0], *DAMAGED_BASES[1 :: len(NO_VALUES) + 1], DAMAGED_BASES[-1]]
NO_TEXTS: list[Any] = ["\ud800", [1], 1, None]
DAMAGED_EDIT_BASES = [
    json.dumps(EDIT_BASE | {name: wrong}) for name in EDIT_BASE for wrong in NO_TEXTS
]


@dataclass
class Form:
    """A form of a page: its action, the values of its fields, and which of them are hidden."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    """Gathers the forms of a page that are posted."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form, or add a field to the one that is open."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.open = Form(action=attributes.get("action", ""))
            if attributes.get("method", "").lower() == "post":
                self.forms.append(self.open)
        name = attributes.get("name")
        if self.open is None or not name or name == "csrfmiddlewaretoken":
            return
        if tag in {"input", "select", "textarea", "button"}:
            self.open.fields.setdefault(name, attributes.get("value", ""))
            if attributes.get("type") == "hidden":
                self.open.hidden.append(name)

    def handle_endtag(self, tag: str) -> None:
        """End a form."""
        if tag == "form":
            self.open = None


def forms_of(client: Client, address: str) -> list[Form]:
    """Return the forms of a page that are posted."""
    page = client.get(address)
    assert page.status_code == 200, address
    reader = _Forms()
    reader.feed(page.content.decode())
    return [Form(form.action or address, form.fields, form.hidden) for form in reader.forms]


def damaged(form: Form, values: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the form with one hidden field damaged, missing, twice; and a form without any field."""
    yield {}
    for name in form.hidden:
        yield {other: text for other, text in form.fields.items() if other != name}
        yield form.fields | {name: [form.fields[name], "x"]}
        for wrong in values:
            yield form.fields | {name: wrong}


def failures(client: Client, form: Form, values: Collection[str] = DAMAGED) -> list[str]:
    """Return which damaged forms were answered with a 500; nothing of what they do stays."""
    failed = []
    for sent in damaged(form, values):
        with transaction.atomic():
            answer = client.post(form.action, sent)
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            differing = {name: text for name, text in sent.items() if form.fields.get(name) != text}
            failed.append(f"{form.action}: {str(differing or 'a field left out')[:100]}")
    return failed


@pytest.fixture
def item(adam: User) -> Annotation:
    """An item to decide, with evidence, of a retriever that has labels and guidelines."""
    retriever = make_retriever()
    set_labels(retriever.pk, [Label(value="logo")], other_allowed=True, base_version=0, actor=adam)
    write_guidelines(retriever.pk, "Look.", base_version=0, actor=adam)
    result = make_result(retriever, execution=make_execution(retriever))
    return make_annotation(retriever, label="logo", result=result, document_id=result.document_id)


@pytest.fixture
def quiet_client() -> Client:
    """A client that is answered 500 where the test's own would raise."""
    return Client(raise_request_exception=False)


def decide_form(client: Client, item: Annotation) -> Form:
    """Return the form in which the item is decided."""
    action = reverse("decide", args=[item.pk])
    (form,) = [
        form
        for form in forms_of(client, reverse("review", args=[item.pk]))
        if form.action.startswith(action)
    ]
    return form


def test_it_decides_nothing_by_a_damaged_form(
    item: Annotation, alice: User, quiet_client: Client
) -> None:
    quiet_client.force_login(alice)
    form = decide_form(quiet_client, item)
    form.hidden = [name for name in form.hidden if name not in BASES]
    assert failures(quiet_client, form) == []
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("decide", DAMAGED_BASES),
        ("draft", A_FEW_DAMAGED_BASES),
        ("news", A_FEW_DAMAGED_BASES),
        ("catch_up", A_FEW_DAMAGED_BASES),
    ],
    ids=["decide", "draft", "news", "catch_up"],
)
def test_it_takes_no_damaged_base(
    name: str, bases: list[str], item: Annotation, alice: User, quiet_client: Client
) -> None:
    quiet_client.force_login(alice)
    form = decide_form(quiet_client, item)
    about_base = Form(reverse(name, args=[item.pk]), form.fields, BASES)
    assert failures(quiet_client, about_base, [*DAMAGED, *bases]) == []


def test_it_takes_no_damaged_form_of_a_retriever(
    item: Annotation, adam: User, quiet_client: Client
) -> None:
    quiet_client.force_login(adam)
    of_retriever = [item.retriever_id]
    failed = []
    for name in ("label_set", "guidelines"):
        for form in forms_of(quiet_client, reverse(name, args=of_retriever)):
            if form.action not in OF_EVERY_PAGE:
                failed += failures(quiet_client, form)
    edit = Form(reverse("edit_retriever", args=of_retriever), {"name": "Other", "tags": "a"}, BASES)
    edit.fields |= {
        "edit_id": "6f1d6d7e-0f0d-4c36-8f4a-0a3bb3f6d1a2",
        "base": json.dumps(EDIT_BASE),
        "was_base": "",
    }
    failed += failures(quiet_client, edit, [*DAMAGED, *DAMAGED_EDIT_BASES])
    assert failed == []


def test_it_takes_no_damaged_form_of_other_pages(
    item: Annotation, adam: User, quiet_client: Client
) -> None:
    make_change(item, state="conflict", theirs={"label": "van"})
    pause(reason="our key was refused")
    failed, seen = [], set()
    retag = f"{reverse('tag_retrievers')}?pk={item.retriever_id}&add=a"
    for address in (
        "/deliveries",
        "/attention",
        "/tokens",
        "/people/invite",
        f"/people/{adam.pk}",
        retag,
    ):
        quiet_client.force_login(adam)
        for form in forms_of(quiet_client, address):
            if form.action not in seen:
                failed += failures(quiet_client, form)
            seen.add(form.action)
    assert "/outbox/resume" in seen
    assert failed == []


def test_it_takes_no_damaged_form_of_a_batch(
    item: Annotation, alice: User, quiet_client: Client
) -> None:
    quiet_client.force_login(alice)
    page = quiet_client.post("/batches/preview", {"item": item.pk, "label": "van"})
    reader = _Forms()
    reader.feed(page.content.decode())
    forms = [form for form in reader.forms if form.action not in OF_EVERY_PAGE]
    assert [form.action for form in forms] == ["/batches/preview", "/batches/start"]

    matching = Form("/batches/preview", {"matching": "1", "query": "?show=all"}, ["query"])
    failed = []
    for form in [*forms, matching]:
        failed += failures(quiet_client, form)
    assert failed == []


def test_it_takes_no_damaged_form_of_somebody_who_signs_in(quiet_client: Client) -> None:
    failed = []
    for form in forms_of(quiet_client, "/accounts/login/?next=/annotations"):
        failed += failures(quiet_client, form)
    assert failed == []


@pytest.mark.parametrize(
    "next_page",
    ["review", "//[", "/a\r\nX: y", "https://elsewhere.example.com/", "//elsewhere", "/é"],
)
@pytest.mark.parametrize(
    ("address", "home"), [("/preferences/theme", "/preferences"), ("/outbox/resume", "/")]
)
def test_it_leads_on_to_paths_of_ours_only(
    address: str, home: str, next_page: str, adam: User, quiet_client: Client
) -> None:
    quiet_client.force_login(adam)
    sent = {"theme": "dark", "next": next_page}
    assert quiet_client.post(address, sent)["Location"] == home
    assert quiet_client.post(address, sent | {"next": "/history?q=a"})["Location"] == "/history?q=a"
