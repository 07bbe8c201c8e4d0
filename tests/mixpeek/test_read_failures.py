"""Which error an answer becomes, and what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reviewapp.mixpeek import (
    Garbled,
    MixpeekError,
    NamespaceUnresolved,
    NotFound,
    Refused,
    Unauthorized,
    Unavailable,
)
from reviewapp.mixpeek.calls import annotations as annotation_calls
from reviewapp.mixpeek.calls import retrievers as retriever_calls
from reviewapp.mixpeek.wire import Call, parse_response
from tests.mixpeek.samples import ANNOTATION, RETRIEVER, reply

READ = annotation_calls.get("ann_1")
WRITE = annotation_calls.patch("ann_1", {"label": "ok"})
HTML = b"<!doctype html><script>alert(1)</script>"


def error_body(message: str, **details: Any) -> dict[str, Any]:
    error = {"message": message, "type": "Error", "code": None, "details": details}
    return {"success": False, "status": 500, "error": error}


def failing(call: Call[Any], body: Any, status: int, **headers: str) -> MixpeekError:
    with pytest.raises(MixpeekError) as caught:
        parse_response(call, reply(body, status=status, **headers))
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Garbled),
        (304, Garbled),
        (400, Refused),
        (401, Unauthorized),
        (402, Unauthorized),
        (403, Unauthorized),
        (404, NotFound),
        (405, Refused),
        (407, Unauthorized),
        (408, Unavailable),
        (409, Refused),
        (410, NotFound),
        (413, Refused),
        (418, Refused),
        (422, Refused),
        (425, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
        (599, Unavailable),
    ],
)
def test_it_names_the_error_by_what_to_do_next(status: int, kind: type[MixpeekError]) -> None:
    error = failing(READ, error_body("because"), status, x_request_id="req_1")
    assert type(error) is kind
    assert (error.status, error.message, error.request_id) == (status, "because", "req_1")


@pytest.mark.parametrize(
    ("body", "message", "fields"),
    [
        (error_body("No such thing"), "No such thing", {}),
        ({"detail": {"error": {"message": "Older nesting", "details": {}}}}, "Older nesting", {}),
        ({"detail": "Not Found"}, "Not Found", {}),
        ({"message": "plain"}, "plain", {}),
        ({"error": "a text"}, "a text", {}),
        (b"upstream connect error\n", "upstream connect error", {}),
        (HTML, "Mixpeek answered 422 (Unprocessable Entity) and an HTML page.", {}),
        (b"", "Mixpeek answered 422 (Unprocessable Entity).", {}),
        (b'{"error": {"mess', "Mixpeek answered 422 (Unprocessable Entity).", {}),
        ([], "Mixpeek answered 422 (Unprocessable Entity).", {}),
        (error_body("a\x1b\u202eb\n c"), "a b c", {}),
        (
            {
                "detail": [
                    {"loc": ["body", "confidence"], "msg": "too large", "type": "less_than_equal"}
                ]
            },
            "confidence: too large",
            {"confidence": "too large"},
        ),
        (
            error_body(
                "Bad body",
                validation_errors=[
                    {
                        "type": "extra_forbidden",
                        "location": ["body", "retriever_name"],
                        "message": "no",
                    },
                    {"type": "missing", "location": ["body", "payload", "x"], "message": "needed"},
                    {"type": "missing", "location": ["body", "payload", "x"], "message": "again"},
                    {"type": "odd", "location": None},
                    "odd",
                ],
            ),
            "Bad body",
            {"name": "no", "payload.x": "needed; again", "": "odd"},
        ),
    ],
)
def test_it_reads_every_shape_of_complaint(body: Any, message: str, fields: dict[str, str]) -> None:
    error = failing(READ, body, 422)
    assert isinstance(error, Refused)
    assert error.message == message
    assert error.fields == fields


def test_it_cuts_a_long_message() -> None:
    assert len(failing(READ, error_body("x" * 10_000), 400).message) == 500


def test_it_does_not_take_a_web_page_for_the_word_that_a_record_is_gone() -> None:
    assert type(failing(READ, HTML, 404)) is Garbled


@pytest.mark.parametrize(
    ("call", "status", "body", "maybe"),
    [
        (READ, 500, error_body("x"), False),
        (WRITE, 500, error_body("x"), True),
        (WRITE, 504, HTML, True),
        (WRITE, 408, b"", True),
        (WRITE, 429, b"", False),
        (WRITE, 503, error_body("read-only"), False),
        (WRITE, 503, HTML, True),
        (WRITE, 302, b"", True),
    ],
)
def test_it_knows_whether_a_write_may_have_been_done(
    call: Call[Any], status: int, body: Any, maybe: bool
) -> None:
    error = failing(call, body, status)
    assert isinstance(error, Unavailable)
    assert error.maybe_applied is maybe


def test_it_passes_on_how_long_to_wait_and_whether_waiting_helps() -> None:
    error = failing(WRITE, error_body("busy", retry_after_seconds=7, retryable=False), 503)
    assert isinstance(error, Unavailable)
    assert (error.retry_after, error.retryable) == (7.0, False)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"results": [], "total": 0}, {"x_namespace_unresolved": "ns_1"}),
        (HTML, {"x_namespace_unresolved": "true"}),
        ({"results": [], "warnings": [{"resource": "namespace", "reason": "unresolved"}]}, {}),
    ],
)
def test_it_does_not_take_an_unknown_namespace_for_an_empty_one(
    body: Any, headers: dict[str, str]
) -> None:
    error = failing(retriever_calls.list_page(limit=10), body, 200, **headers)
    assert isinstance(error, NamespaceUnresolved)
    assert error.namespace == "ns_1"
    assert "'ns_1'" in error.message


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (503, Unavailable), ("?", Unavailable)]
)
def test_it_believes_a_body_that_says_it_failed_with_200(
    status: Any, kind: type[MixpeekError]
) -> None:
    assert type(failing(READ, error_body("no") | {"status": status}, 200)) is kind


def test_it_takes_any_success_status_with_a_good_body() -> None:
    assert parse_response(WRITE, reply(ANNOTATION, status=201)).label == "approved"
    assert parse_response(retriever_calls.get("r"), reply(RETRIEVER, status=203)).version == 4


def test_it_reads_field_errors_that_are_nested_without_end() -> None:
    deep = json.loads("[" * 900 + "]" * 900)
    error = failing(WRITE, {"detail": [{"loc": ["body", deep], "msg": deep}]}, 422)
    assert type(error) is Refused
    assert "not accepted" in error.message

    error = failing(WRITE, {"detail": [{"loc": {"a": deep}, "msg": "odd"}]}, 422)
    assert error.message == "odd"


def test_it_reads_the_first_of_any_number_of_field_errors() -> None:
    field_error = {"loc": ["body", "label"], "msg": "x" * 400}
    error = failing(WRITE, {"detail": [field_error] * 2_000}, 422)
    assert isinstance(error, Refused)
    assert len(error.message) <= 500
    assert len(error.fields["label"]) < 100_000
