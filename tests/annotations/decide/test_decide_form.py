"""Submitting the decision form: what is accepted, what is refused, and no typed word is lost."""

from __future__ import annotations

import json
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from markupsafe import escape

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Decision
from reviewapp.outbox.models import Change
from tests.decisions import filled_form, post_decision
from tests.factories import make_annotation, make_result, make_retriever

pytestmark = pytest.mark.django_db

WHY = "The lettering is drawn by hand; 手書き, and that is the reason."


def test_it_records_what_was_submitted_with_what_was_seen(client: Client, alice: User) -> None:
    result = make_result(document_id="doc_seen")
    annotation = make_annotation(
        document_id="doc_seen", result=result, label="logo", payload={"codes": ["A1"]}
    )
    client.force_login(alice)
    response = post_decision(
        client,
        annotation,
        label="not a logo",
        confidence="0.9",
        reasoning=WHY,
        payload='{"codes": []}',
    )
    decision = Decision.objects.get()
    assert response.status_code == 302
    assert (decision.label, decision.confidence, decision.reasoning, decision.payload) == (
        "not a logo",
        0.9,
        WHY,
        {"codes": []},
    )
    assert decision.base["label"] == "logo"
    assert (decision.result_id, decision.reviewer_id) == (result.pk, alice.pk)
    assert decision.seconds is not None


def test_it_promises_only_what_is_different(client: Client, alice: User) -> None:
    annotation = make_annotation(
        confidence=0.1 + 0.2,
        reasoning="one\r\ntwo",
        payload={"a": 1.5, "ü": ["x"]},
        actor_type="user",
        proposed={},
    )
    client.force_login(alice)
    post_decision(client, annotation, reasoning="one\r\ntwo", label="other")
    assert Change.objects.get().fields == {"label": "other"}


def test_it_takes_the_label_from_the_buttons_unless_one_is_written(
    client: Client, alice: User
) -> None:
    picked, written = make_annotation(), make_annotation()
    make_annotation(picked.retriever, label=" spaced ")
    client.force_login(alice)
    post_decision(client, picked, choice=" spaced ", label="")
    post_decision(client, written, choice="logo", label="  mine ", new_label="mine")
    assert [decision.label for decision in Decision.objects.order_by("id")] == [" spaced ", "mine"]


@pytest.mark.parametrize("text", ["0.5", "0,5", ",5"])
def test_it_takes_a_confidence_with_a_comma_too(client: Client, alice: User, text: str) -> None:
    client.force_login(alice)
    post_decision(client, make_annotation(), choice="logo", label="", confidence=text)
    assert Decision.objects.get().confidence == 0.5


REFUSED = [
    ({"choice": "", "label": ""}, "Choose a label or write one."),
    ({"choice": "", "label": "   "}, "Choose a label or write one."),
    ({"label": "x" * 101}, "Labels can have at most 100 characters (this one has 101)."),
    ({"label": "a\0b"}, "Null characters are not allowed."),
    ({"choice": "a\0b"}, "Null characters are not allowed."),
    ({"confidence": "abc"}, "Confidence must be a number from 0 to 1"),
    ({"confidence": "-1"}, "Confidence must be from 0 to 1, so it cannot be -1."),
    ({"confidence": "1.01"}, "Confidence must be from 0 to 1, so it cannot be 1.01."),
    ({"confidence": "NaN"}, "Confidence must be a number from 0 to 1"),
    ({"confidence": "inf"}, "Confidence must be a number from 0 to 1"),
    ({"confidence": "1e999"}, "Confidence must be from 0 to 1"),
    ({"confidence": "0,8,1"}, "Confidence must be a number from 0 to 1"),
    ({"confidence": "0_1"}, "Confidence must be a number from 0 to 1"),
    ({"confidence": "\u0660.\u0665"}, "Confidence must be a number from 0 to 1"),
    (
        {"reasoning": "x" * 5001},
        "The reasoning can have at most 5,000 characters (this one has 5,001).",
    ),
    ({"reasoning": "a\0b"}, "Null characters are not allowed."),
    ({"payload": "{"}, "The payload is not valid JSON"),
    ({"payload": "[1]"}, "The payload must be a JSON object"),
    ({"payload": '"text"'}, "The payload must be a JSON object"),
    ({"payload": '{"a": NaN}'}, "The number NaN in the payload is not a JSON number."),
    ({"payload": '{"a": 1e999}'}, "is too large"),
    ({"payload": '{"a": 1e-400}'}, "cannot be stored exactly; the nearest number is 0.0"),
    (
        {"payload": '{"a": 0.1234567890123456789}'},
        "cannot be stored exactly; the nearest number is 0.12345678901234568",
    ),
    ({"payload": '{"a": ' + "9" * 5000 + "}"}, "digits; at most 1,000 can be stored."),
    ({"payload": '{"a": 1, "a": 2}'}, "twice"),
    ({"payload": '{"a": "\\u0000"}'}, "NUL character"),
    ({"payload": '{"\\ud800": 1}'}, "surrogate"),
    ({"payload": '{"a":' * 20 + "{}" + "}" * 20}, "at most 20 levels deep"),
    ({"payload": '{"a":' * 5000 + "1" + "}" * 5000}, "at most 20 levels deep"),
    ({"payload": json.dumps({"a": "x" * 65_536})}, "at most 65,536 bytes"),
    (
        {"outcome": "undecidable", "reasoning": "  "},
        "Write why you can't tell, for the next reviewer.",
    ),
    ({"outcome": "whatever"}, "Select a valid choice"),
    ({"base": ""}, "This form is damaged and was not saved."),
    ({"base": "[]"}, "This form is damaged and was not saved."),
    ({"base": "{}"}, "This form is damaged and was not saved."),
    ({"base": '{"label": true}'}, "This form is damaged and was not saved."),
    ({"decision_id": "7"}, "This form is damaged and was not saved."),
    ({"result_id": "1"}, "This form is damaged and was not saved."),
    ({"result_id": "9" * 30}, "less than or equal to"),
]


def test_it_takes_the_machine_s_words_for_no_reason_of_mine(client: Client, alice: User) -> None:
    annotation = make_annotation(reasoning="No region exceeds the threshold.")
    client.force_login(alice)
    response = post_decision(
        client, annotation, outcome="undecidable", reasoning=annotation.reasoning
    )
    assert response.status_code == 422
    assert "Write why you can&#39;t tell, for the next reviewer." in response.content.decode()


@pytest.mark.parametrize(("wrong", "sentence"), REFUSED)
def test_it_refuses_with_a_sentence_and_keeps_what_was_typed(
    client: Client, alice: User, wrong: dict[str, str], sentence: str
) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    typed = {
        "label": "my own label",
        "confidence": "0.62",
        "reasoning": WHY,
        "payload": '{"mine": 1}',
    } | wrong
    response = post_decision(client, annotation, **typed)
    page = response.content.decode()
    assert response.status_code == 422
    assert escape(sentence) in page
    for value in typed.values():
        assert escape(value) in page
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("", None), ("0", 0.0), ("-0", 0.0), ("1", 1.0), ("1.", 1.0), (".5", 0.5), (" 5e-1 ", 0.5)],
)
def test_it_reads_a_confidence_as_people_write_it(
    client: Client, alice: User, typed: str, kept: float | None
) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    post_decision(client, annotation, confidence=typed)
    assert Decision.objects.get().confidence == kept


def test_it_counts_characters_and_not_bytes(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    response = post_decision(client, annotation, label="😀" * 100, reasoning="😀\r\n" * 2500)
    assert response.status_code == 302
    assert len(Decision.objects.get().reasoning) == 5000


def test_it_lets_an_oversized_payload_from_upstream_pass_untouched(
    client: Client, alice: User
) -> None:
    annotation = make_annotation(payload={"long": "x" * 70_000})
    client.force_login(alice)
    assert post_decision(client, annotation, label="other").status_code == 302


def test_it_refuses_a_request_beyond_all_bounds(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    assert post_decision(client, annotation, payload="x" * 10_000_000).status_code == 413
    assert not Decision.objects.exists()


def test_it_cannot_tell_with_a_reason(client: Client, alice: User) -> None:
    annotation = make_annotation(label="logo")
    client.force_login(alice)
    response = post_decision(
        client, annotation, outcome="undecidable", choice="", reasoning="Too blurred."
    )
    annotation.refresh_from_db()
    assert response.status_code == 302
    assert (annotation.status, annotation.label) == ("undecidable", "logo")
    assert Decision.objects.get().reasoning == "Too blurred."


def test_it_stays_at_cannot_tell_after_an_error(client: Client, alice: User) -> None:
    annotation = make_annotation(label="logo")
    client.force_login(alice)
    refused = post_decision(client, annotation, outcome="undecidable", reasoning="")
    assert refused.status_code == 422
    assert 'name="outcome" value="undecidable"' in refused.content.decode()
    again = {**refused.context["data"], "reasoning": "Too blurred."}
    assert client.post(reverse("decide", args=[annotation.pk]), again).status_code == 302
    assert Decision.objects.get().outcome == "undecidable"


def test_it_does_not_read_what_cannot_tell_leaves_alone(client: Client, alice: User) -> None:
    annotation = make_annotation(confidence=0.5, payload={"a": 1})
    client.force_login(alice)
    typed = {"confidence": "half", "payload": "{", "reasoning": "Too blurred."}
    assert post_decision(client, annotation, outcome="undecidable", **typed).status_code == 302
    decision = Decision.objects.get()
    assert (decision.confidence, decision.payload) == (0.5, {"a": 1})


def test_it_makes_one_decision_of_a_form_sent_twice(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    data = filled_form(annotation, label="twice")
    first, second = (client.post(reverse("decide", args=[annotation.pk]), data) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 302)
    assert Decision.objects.count() == 1


def test_it_does_not_call_saved_what_an_old_form_says_anew(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    data = filled_form(annotation, label="first")
    second = {"label": "second", "new_label": "second", "reasoning": WHY}
    client.post(reverse("decide", args=[annotation.pk]), data)
    response = client.post(reverse("decide", args=[annotation.pk]), data | second)
    assert response.status_code == 409
    assert "Your changes below are not" in response.content.decode()
    again = dict(response.context["hidden"])
    client.post(reverse("decide", args=[annotation.pk]), data | second | again)
    assert [decision.label for decision in Decision.objects.order_by("id")] == ["first", "second"]


def test_it_does_not_drop_the_label_that_a_second_tab_chose(client: Client, alice: User) -> None:
    """Two tabs share a draft and so a decision id; the second picks the label it began from."""
    annotation = make_annotation(label="distinct")
    client.force_login(alice)
    draft, url = (
        filled_form(annotation, choice="duplicate"),
        reverse("decide", args=[annotation.pk]),
    )
    assert client.post(url, draft).status_code == 302
    second = client.post(url, draft | {"choice": "distinct"})
    assert second.status_code == 409
    assert second.context["data"]["choice"] == "distinct"
    assert client.post(url, {**second.context["data"], "outcome": "decided"}).status_code == 302
    annotation.refresh_from_db()
    assert [decision.label for decision in Decision.objects.order_by("id")] == [
        "duplicate",
        "distinct",
    ]
    assert annotation.label == "distinct"


def test_it_does_not_drop_what_a_second_tab_emptied(client: Client, alice: User) -> None:
    annotation = make_annotation(label="logo", confidence=0.5)
    client.force_login(alice)
    draft, url = filled_form(annotation), reverse("decide", args=[annotation.pk])
    assert client.post(url, draft | {"payload": '{"seen": 1}'}).status_code == 302
    second = client.post(url, draft | {"payload": "{}"})
    assert second.status_code == 409
    assert Decision.objects.count() == 1


def test_it_takes_a_merged_form_sent_twice_for_one_decision(
    client: Client, alice: User, bob: User
) -> None:
    annotation = make_annotation(label="logo", confidence=0.5)
    hers, url = (
        filled_form(annotation, payload='{"seen": 1}'),
        reverse("decide", args=[annotation.pk]),
    )
    client.force_login(bob)
    assert client.post(url, filled_form(annotation, confidence="0.9")).status_code == 302
    client.force_login(alice)
    assert [client.post(url, hers).status_code for _ in range(2)] == [302, 302]
    annotation.refresh_from_db()
    assert (annotation.confidence, annotation.reviewer) == (0.9, alice)
    assert Decision.objects.filter(reviewer=alice).get().confidence is None


def test_it_does_not_take_a_decision_id_of_another_item(client: Client, alice: User) -> None:
    one, other = make_annotation(), make_annotation()
    client.force_login(alice)
    number = str(uuid.uuid4())
    post_decision(client, one, decision_id=number)
    response = post_decision(client, other, decision_id=number, label=WHY)
    assert response.status_code == 409
    assert escape(WHY) in response.content.decode()


def test_it_says_when_the_annotation_is_gone(client: Client, alice: User) -> None:
    annotation = make_annotation(status="gone")
    client.force_login(alice)
    response = post_decision(client, annotation, reasoning=WHY)
    assert response.status_code == 409
    assert "Mixpeek no longer has this annotation" in response.content.decode()
    assert escape(WHY) in response.content.decode()


def test_it_refuses_get(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(reverse("decide", args=[make_annotation().pk])).status_code == 405


def test_it_refuses_somebody_without_a_role(client: Client, stranger: User) -> None:
    client.force_login(stranger)
    assert post_decision(client, make_annotation(), label="").status_code == 403


def test_it_does_not_know_an_annotation_that_is_not_there(client: Client, alice: User) -> None:
    client.force_login(alice)
    for pk in ("999999999", "9" * 30):
        assert client.post(f"/annotations/{pk}/decide").status_code == 404


def test_it_gives_the_next_item_and_says_how_many_are_left(client: Client, alice: User) -> None:
    retriever = make_retriever()
    first, second, _ = (make_annotation(retriever, confidence=0.1 * index) for index in range(3))
    client.force_login(alice)
    response = client.post(
        reverse("decide", args=[first.pk]),
        filled_form(first),
        headers={"HX-Request": "true"},
        follow=True,
    )
    assert response.redirect_chain[-1][0] == reverse("review", args=[second.pk])
    assert json.loads(response["HX-Trigger"]) == {"say": "Saved. 2 left."}
    assert response["HX-Push-Url"] == reverse("review", args=[second.pk])
    assert response.content.decode().strip().startswith('<div id="review"')


def test_it_leads_to_the_queue_when_nothing_is_left(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk]) + "?sort=newest"
    assert (
        client.post(url, filled_form(annotation)).headers["Location"] == "/annotations?sort=newest"
    )


def test_it_makes_htmx_leave_for_the_queue_as_a_whole_page(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    url = reverse("decide", args=[annotation.pk])
    response = client.post(url, filled_form(annotation), headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == "/annotations"
