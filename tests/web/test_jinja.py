"""The functions that all templates share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import engines
from django.test import RequestFactory
from jinja2 import Environment

from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.row import QueueRow
from reviewapp.audit.actions import Origin
from reviewapp.audit.presenters.timeline import Entry
from reviewapp.audit.registry import DeliveryState
from reviewapp.web.jinja import compile_templates
from tests.rules.markup import names

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def rendered(source: str, **values: object) -> str:
    """Return what a template makes of some values."""
    return str(engines["jinja2"].from_string(source).render(values))


def line(**values: object) -> QueueRow:
    """Return a line of the queue, of which only the values matter that are given."""
    usual = {
        "pk": 1, "here": "", "title": "A van", "excerpt": "", "document_id": "doc_1", "retriever": "", "score": None,
        "was": "", "label": "", "confidence": None, "status": "waiting", "delivery": "", "open_by": "",
        "reviewer": "", "decided_at": None, "created_at": None,
    }  # fmt: skip
    return QueueRow(**(usual | values))  # type: ignore[arg-type]


def test_it_makes_one_csrf_token_for_all_forms_of_a_page() -> None:
    template = engines["jinja2"].from_string("{{ csrf_input }}|{{ csrf_input }}")
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    first, second = template.render({}, request).split("|")
    assert first.startswith('<input type="hidden" name="csrfmiddlewaretoken" value="')
    assert first == second


def test_it_shows_an_instant_in_utc_wherever_it_comes_from() -> None:
    there = AT.astimezone(timezone(timedelta(hours=9)))
    assert rendered("{{ time(at) }}", at=there).strip() == (
        '<time datetime="2026-03-04T05:06:07+00:00" title="2026-03-04 05:06:07 UTC">4 Mar 2026, 05:06 UTC</time>'
    )
    assert " data-age>" in rendered("{{ time(at, age=true) }}", at=AT)
    assert " data-clock>" in rendered("{{ time(at, clock=true) }}", at=AT)
    assert rendered("{{ time(at) }}", at=None) == ""


@pytest.mark.parametrize(
    ("number", "listed"),
    [
        (0.7999, "0.7999"),
        (0.79999, "0.7999…"),
        (0.4999999, "0.4999…"),
        (0.5, "0.50"),
        (1, "1.00"),
        (0.999999, "0.9999…"),
        (1e-09, "0.0000…"),
        (-1.5, "-1.50"),
        (12345.678, "12345.678"),
    ],
)
def test_it_rounds_no_number_in_a_list(number: float, listed: str) -> None:
    assert rendered("{{ number|decimals(2) }}", number=number) == listed


def test_it_shows_the_confidence_of_a_line_below_the_limit_that_it_is_below() -> None:
    html = rendered("{{ queue_row(line) }}", line=line(confidence=0.7999, score=0.91254))
    assert ">0.7999<" in html
    assert ">score 0.9125…<" in html


def test_it_shows_every_status_in_words() -> None:
    for status in Annotation.Status:
        assert str(status.label) in rendered(
            '{% from "macros.html" import status_chip %}{{ status_chip(status) }}', status=status
        )


def test_it_escapes_what_people_wrote_also_the_second_time() -> None:
    bad = line(title="<script>alert(1)</script>", label='"><b>', reviewer="<i>")
    for _ in range(2):
        made = rendered("{{ queue_row(one) }}", one=bad)
        assert "<script>" not in made
        assert "<b>" not in made
        assert "<i>" not in made


@pytest.mark.parametrize(
    "changed", [{"label": "logo"}, {"open_by": "bob"}, {"delivery": "conflict"}, {"here": "?q=a"}]
)
def test_it_shows_a_line_anew_when_any_value_is_another(changed: dict[str, object]) -> None:
    assert rendered("{{ queue_row(one) }}", one=line(**changed)) != rendered(
        "{{ queue_row(one) }}", one=line()
    )


def entry(**values: object) -> Entry:
    """Return an entry of the history, of which only the values matter that are given."""
    usual = {
        "at": AT, "who": "ada", "actor_id": 1, "actions": ("person.renamed",), "sentence": "renamed them",
        "ref": "people/bob", "retriever_id": "", "origin": Origin.WEB, "note": "", "request_id": "", "diffs": (),
    }  # fmt: skip
    return Entry(**(usual | values))  # type: ignore[arg-type]


def event_row(
    event: Entry,
    title: str = "",
    retriever: str = "",
    *,
    delivery: DeliveryState | None = None,
    people: bool = False,
) -> str:
    return rendered(
        "{{ event_row(event, title, retriever, delivery, people) }}",
        event=event,
        title=title,
        retriever=retriever,
        delivery=delivery,
        people=people,
    )


def test_it_escapes_what_an_event_holds_also_the_second_time() -> None:
    bad = entry(who="<script>alert(1)</script>", sentence="<b>", note='"><i>', ref="people/<u>")
    for _ in range(2):
        made = event_row(bad, "<s>", "<em>", people=True)
        assert "&lt;script&gt;" in made
        for tag in ("<script>", "<b>", "<i>", "<u>", "<s>", "<em>"):
            assert tag not in made


@pytest.mark.parametrize(
    "changed", [{"note": "asked to"}, {"who": "eve"}, {"request_id": "req_12345"}, {"actor_id": 2}]
)
def test_it_shows_an_event_anew_when_any_value_is_another(changed: dict[str, object]) -> None:
    assert event_row(entry(**changed)) != event_row(entry())


def test_it_shows_an_event_anew_with_another_title_retriever_or_delivery() -> None:
    plain = event_row(entry())
    state = DeliveryState(text="Delivered v2", icon="check-circle", tone="tone-ok")
    assert "Delivered v2" in event_row(entry(), delivery=state)
    assert "A van" in event_row(entry(), "A van")
    assert "Logos" in event_row(entry(), "", "Logos")
    assert event_row(entry()) == plain


def test_it_links_the_people_of_an_event_only_for_who_may_see_them() -> None:
    for _ in range(2):
        assert "?search=bob" in event_row(entry(), people=True)
        assert "?search=bob" not in event_row(entry(), people=False)


def test_it_shows_an_icon_wherever_it_is_named() -> None:
    assert rendered("{{ icon(name) }}{{ icon(name) }}", name="search").count("#search") == 2


def test_it_writes_a_date_in_the_time_zone_of_the_site() -> None:
    there = AT.astimezone(timezone(timedelta(hours=9)))
    assert rendered('{{ at|date("H:i") }}', at=there) == "05:06"


def test_it_prints_nothing_for_what_is_missing() -> None:
    assert rendered("{{ a.b.c }}{{ a|date('H:i') }}{{ a|length }}") == "0"
    assert rendered("{% if a.b is not none %}there{% endif %}") == ""


def test_it_escapes_what_people_wrote_in_every_filter() -> None:
    shown = rendered(
        "{{ a }}{{ a|truncatechars(40) }}{{ a|linebreaksbr }}{{ a|capfirst }}{{ [a]|join(', ') }}",
        a="<script>",
    )
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") == 5


def test_it_compiles_every_template_before_the_first_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compile_templates()
    monkeypatch.delattr(Environment, "compile")
    for name in names():
        engines["jinja2"].get_template(name)
