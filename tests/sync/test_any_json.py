"""Any JSON keeps its value from the form to Mixpeek, through the next pull, onto the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reviewapp.annotations import payload as payloads
from reviewapp.annotations.models import Annotation
from reviewapp.audit.models import Event
from reviewapp.json_values import canonical, is_same_json
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.storable import MAX_INTEGER_DIGITS
from reviewapp.sync.deliver import drain
from reviewapp.sync.pull.run import pull
from tests.decisions import filled_form
from tests.factories import make_annotation
from tests.proofs import examples
from tests.sandbox_data import annotation_json, document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = pytest.mark.django_db

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
INTEGERS = st.integers() | st.integers(-(10**MAX_INTEGER_DIGITS) + 1, 10**MAX_INTEGER_DIGITS - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [1e22, 1e23, 1e300, 5e-324, -0.0, 2.0**63]
)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXT | st.just("__proto__"), inner, max_size=4)
    ),
    max_leaves=12,
)
# Names that a browser's script, or ours, might take for something else than a member.
ODD_NAMES = st.sampled_from(["__proto__", "constructor", "toString", "length", "", " ", "a.b", "0"])
NAMES = TEXT | ODD_NAMES
PAYLOADS = st.dictionaries(NAMES, VALUES, max_size=5)
DEEPEST = json.loads(
    '{"a":' * payloads.MAX_PAYLOAD_LEVELS + "0.0" + "}" * payloads.MAX_PAYLOAD_LEVELS
)
LARGEST = {"text": "é" * ((payloads.MAX_PAYLOAD_BYTES - 20) // 2)}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, sandboxes: SharedSandboxes) -> Box:
    folder = write_data_folder(
        tmp_path_factory.mktemp("any_json"),
        retrievers=[retriever_json()],
        documents=map(document_json, range(2)),
        annotations=map(annotation_json, range(2)),
    )
    return sandboxes.namespace(folder)


@pytest.fixture(scope="module")
def mixpeek_client(box: Box) -> Iterator[Client]:
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        yield client


def upstream(box: Box, annotation: Annotation) -> Any:
    """Return the payload that Mixpeek holds, without what we add."""
    payload = box.call("GET", f"/v1/annotations/{annotation.annotation_id}").json()["payload"] or {}
    return {name: value for name, value in payload.items() if name != "reviewapp"}


def pulled(client: Client) -> Annotation:
    """Pull everything and return the annotation of these tests."""
    assert pull(client=client).stopped == ""
    return Annotation.objects.get(annotation_id="ann_00000")


class PayloadBox(HTMLParser):
    """Takes the text of the payload's field out of a page."""

    text: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "textarea" and dict(attrs).get("id") == "payload":
            self.text = ""

    def handle_data(self, data: str) -> None:
        if self.text is not None and self.lasttag == "textarea":
            self.text += data


def on_the_page(browser: Browser, annotation: Annotation) -> Any:
    """Return the payload that the item's page puts into its form."""
    page = browser.get(reverse("review", args=[annotation.pk])).content.decode()
    box = PayloadBox()
    box.feed(page[: page.index("</textarea>", page.index('id="payload"'))])
    assert box.text is not None
    return payloads.read(box.text.removeprefix("\n"))


def decided(
    browser: Browser, annotation: Annotation, payload: dict[str, Any], client: Client
) -> Change:
    """Submit the form with this payload, deliver it, and return the change."""
    form = filled_form(annotation, payload=payloads.write(payload))
    assert browser.post(reverse("decide", args=[annotation.pk]), form).status_code == 302
    Change.objects.filter(state=Change.State.QUEUED).update(due=timezone.now())
    drain.drain(client)
    return Change.objects.latest("pk")


@settings(
    max_examples=examples(4, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(typed=PAYLOADS, theirs=PAYLOADS)
@example(typed={"n": 1e23, "note": "seen"}, theirs={"n": 1e23})
@example(
    typed={"n": [10**999, 1e300, True, 1, 1.0, 0.0]},
    theirs={"n": [-(10**999), 1e22, False, 0, 0.0, 5e-324]},
)
@example(typed=DEEPEST, theirs=LARGEST)
@example(typed=LARGEST, theirs=DEEPEST)
@example(typed={"a": True, "b": 0}, theirs={"a": 1, "b": False})
@example(
    typed={"__proto__": {"a": 1}, "constructor": None, "": 0},
    theirs={"__proto__": [], "toString": "x", "a": {"__proto__": {"__proto__": 1}}},
)
def test_it_stays_the_same_value(
    alice_client: Browser,
    box: Box,
    mixpeek_client: Client,
    typed: dict[str, Any],
    theirs: dict[str, Any],
) -> None:
    # 1. Somebody at Mixpeek sets a payload: it arrives here and on the page.
    box.call("PATCH", "/v1/annotations/ann_00000", json={"payload": theirs})
    annotation = pulled(mixpeek_client)
    assert is_same_json(annotation.payload, theirs)
    assert is_same_json(on_the_page(alice_client, annotation), theirs)

    # 2. A person submits another: it arrives there, and nobody is told of a conflict or a merge.
    change = decided(alice_client, annotation, typed, mixpeek_client)
    assert (change.state, change.merged, change.raced) == (Change.State.DELIVERED, None, None)
    assert is_same_json(upstream(box, annotation), typed)

    # 3. It comes back with the next pull, which changes nothing.
    events = Event.objects.count()
    annotation = pulled(mixpeek_client)
    assert is_same_json(annotation.payload, typed)
    assert is_same_json(on_the_page(alice_client, annotation), typed)
    assert Event.objects.count() == events


# Each has a value that no double holds, or says twice what one member is.
_UNSTORABLE = st.sampled_from(
    ["1e400", "-1e400", "1e-400", "NaN", "Infinity", "0.1234567890123456789", '{"a": 1, "a": 2}']
)


@given(
    texts_before=st.lists(VALUES.map(json.dumps), max_size=3),
    bad=_UNSTORABLE,
    name=NAMES.map(json.dumps),
    depth=st.integers(0, 5),
)
@settings(
    max_examples=examples(10, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_it_refuses_what_it_cannot_keep_and_changes_nothing(
    alice_client: Browser, texts_before: list[str], bad: str, name: str, depth: int
) -> None:
    annotation = make_annotation(payload={"n": 1})
    value = "[" * depth + ", ".join([*texts_before, bad]) + "]" * depth
    text = f"{{{name}: {value if depth else bad}}}"
    form = filled_form(annotation, payload=text)

    reply = alice_client.post(reverse("decide", args=[annotation.pk]), form)

    assert reply.status_code == 422
    annotation.refresh_from_db()
    assert (annotation.payload, annotation.decision) == ({"n": 1}, None)
    # What was typed is on the page as it was typed.
    box = PayloadBox()
    page = reply.content.decode()
    box.feed(page[: page.index("</textarea>", page.index('id="payload"'))])
    assert box.text is not None
    assert box.text.removeprefix("\n") == text


@given(value=VALUES, other=VALUES)
def test_it_compares_by_value(value: Any, other: Any) -> None:
    assert is_same_json(value, json.loads(json.dumps(value)))
    assert is_same_json(value, canonical(value))
    assert (
        is_same_json(value, other) == is_same_json(other, value) == (texts(value) == texts(other))
    )


def texts(value: Any) -> str:
    """Return a text that equal JSON values have in common."""
    return json.dumps(canonical(value), sort_keys=True)


@pytest.mark.parametrize("number", [1e22, 1e23, 1.5e300, -1e23, 2.0**63, 2.0**53 + 2])
def test_it_takes_a_float_for_the_digits_that_jsonb_makes_of_it(number: float) -> None:
    digits = int(Decimal(repr(number)))
    assert is_same_json({"n": [number]}, {"n": [digits]})
    assert not is_same_json(number, digits + 1)
    assert not is_same_json(2**53 + 1, 2**53)
