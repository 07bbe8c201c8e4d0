"""The history as a file for spreadsheets."""

from __future__ import annotations

import csv
import re
import tracemalloc
from collections.abc import Iterable
from io import StringIO
from typing import cast

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.context import acting
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.csv_export import COLUMNS, cell, export_lines
from tests.factories import make_bare_annotation, make_retriever
from tests.rules.sources import ROOT

RULE = next(
    line
    for line in (ROOT / "docs" / "operations.md").read_text().splitlines()
    if line.startswith("re.sub(")
)


def parts(client: Client, **wanted: str) -> Iterable[bytes]:
    answer = cast("StreamingHttpResponse", client.get("/history.csv", wanted))
    assert answer.streaming
    return cast("Iterable[bytes]", answer.streaming_content)


def table(client: Client, **wanted: str) -> list[dict[str, str]]:
    """Return the file as a spreadsheet would read it."""
    text = b"".join(parts(client, **wanted)).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


@pytest.mark.django_db
def test_it_downloads_what_the_filters_leave(client: Client, lena: User, alice: User) -> None:
    client.force_login(lena)
    make_bare_annotation(retriever=make_retriever(retriever_id="ret_1", name="Logos"))
    with acting(alice, note='he said "dog",\nso I did'):
        Annotation.objects.update(label="כלב", payload={"codes": ["A"]})
    (line,) = table(client, label_from="cat")
    assert line["actor_name"] == "alice"
    assert (line["label_from"], line["label_to"], line["ref"]) == (
        "cat",
        "כלב",
        "annotations/ann_1",
    )
    assert line["note"] == 'he said "dog",\nso I did'
    assert line["changes"] == '{"label": ["cat", "כלב"], "payload": [{}, {"codes": ["A"]}]}'
    assert len(table(client)) == 3


@pytest.mark.django_db
def test_it_is_a_file_that_nobody_keeps(client: Client, lena: User) -> None:
    client.force_login(lena)
    answer = client.get("/history.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="history-')
    assert answer["Cache-Control"] == "no-store"
    assert (
        b"".join(cast("Iterable[bytes]", answer)).decode() == "\ufeff" + ",".join(COLUMNS) + "\r\n"
    )


@pytest.mark.django_db
def test_it_disarms_formulas(client: Client, lena: User, alice: User) -> None:
    client.force_login(lena)
    with acting(alice, note="=HYPERLINK(1)"):
        make_bare_annotation(label="@cat")
    (line,) = table(client)
    assert (line["note"], line["label_to"]) == ("'=HYPERLINK(1)", "'@cat")


@pytest.mark.parametrize(
    "text",
    [
        "=1",
        "+1",
        "-x",
        "-1+2",
        "-1\t2",
        "-1=",
        "@x",
        "\tx",
        "\rx",
        "\nx",
        "  =1",
        "\uff1d1",
        "'=1",
        '"=1',
    ],
)
def test_it_puts_an_apostrophe_before_whatever_runs(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a;=1", "a;'=1"),
        ("a; +1;-1;@x;\ty;\rz", "a;' +1;'-1;'@x;'\ty;'\rz"),
        ('{"a": ";=1", "b": "; \\"=1"}', '{"a": ";\'=1", "b": "; \\"=1"}'),
        ('a;"=1', "a;'\"=1"),
        ("a\n=1", "a\n'=1"),
        ("a\t=1", "a\t'=1"),
        ("\t=1", "'\t'=1"),
        ("a;'=1", "a;''=1"),
        ("a\r\nb", "a\r\nb"),
        ("a;b", "a;b"),
        ("1-1=0", "1-1=0"),
    ],
)
def test_it_disarms_what_runs_where_lines_are_split_at_semicolons(text: str, shown: str) -> None:
    assert cell(text) == shown


# Mostly what the rule is about, so that its cases meet.
TRICKY = st.text(st.sampled_from("=+-@\t\r\n;'\" \uff1dab,\\")) | st.text()


@given(text=TRICKY)
def test_it_leaves_nothing_that_runs(text: str) -> None:
    for part in re.split(r"[;\t\r\n]", cell(text)):
        assert not part.lstrip(' "').startswith(
            ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
        )
    assert not cell(text).startswith(("\t", "\r", "\n"))


@given(text=TRICKY)
def test_it_loses_nothing_by_the_rule_that_the_docs_give(text: str) -> None:
    assert eval(RULE, {"re": re, "cell": cell(text)}) == text


@given(
    cells=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n")), min_size=1)
)
def test_it_survives_the_reading_of_any_text(cells: list[str]) -> None:
    buffer = StringIO()
    csv.writer(buffer).writerow(map(cell, cells))
    (read,) = csv.reader(StringIO(buffer.getvalue(), newline=""))
    assert read == [cell(text) for text in cells]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_it_streams_many_events_without_holding_them() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_event
                (at, actor_name, action, ref, retriever_id, origin, request_id, changes, note)
            SELECT now() - n * interval '1 second', 'p', 'annotation.revised', 'annotations/' || n, '', 'web', '',
                   jsonb_build_object('reasoning', jsonb_build_array(NULL, repeat('word ', 100))), 'n'
            FROM generate_series(1, 20000) n
            """
        )
    tracemalloc.start()
    try:
        size = newlines = 0
        for part in export_lines(Event.objects.newest()):
            size, newlines = size + len(part), newlines + part.count("\r\n")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert newlines == 20_001
    assert size > 10_000_000
    assert peak < 4_000_000


@pytest.mark.parametrize("text", ["-1", "-0.5", "-1e-07", "-12.5E+3", "0.5", "-00123"])
def test_it_leaves_a_plain_number_as_it_is(text: str) -> None:
    assert cell(text) == text
    assert cell(float(text)) == str(float(text))
