"""What a browser would send for a form."""

from __future__ import annotations

from tools.bench.http_client import form_fields

PAGE = """
<form action="/other"><input name="a" value="1"></form>
<form action="/it/decide?q=1"><input type="hidden" name="base" value="{&quot;x&quot;: 1}"><input name="empty">
<input type="radio" name="choice" value="one"><input type="radio" name="choice" value="two" checked>
<textarea name="words">
two
lines &amp; more</textarea><button name="outcome" value="decided">Go</button></form><input name="after">
"""


def test_it_reads_one_form_as_it_stands() -> None:
    assert form_fields(PAGE, "/it/decide") == {
        "base": '{"x": 1}', "empty": "", "choice": "two", "words": "two\nlines & more",
    }  # fmt: skip


def test_it_finds_nothing_where_there_is_no_such_form() -> None:
    assert form_fields(PAGE, "/elsewhere") == {}
