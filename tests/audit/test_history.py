"""A lead reads what happened: filters, pages, empty states, and who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.audit.models import Event
from reviewapp.audit.totals import count_events
from reviewapp.outbox.models import Change
from tests.collapsed import collapsed
from tests.decisions import decide_by_form
from tests.factories import (
    make_annotation,
    make_bare_annotation,
    make_bare_change,
    make_retriever,
    settle_as_delivered,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def busy(alice: User, bob: User) -> Annotation:
    """An annotation that alice relabelled, bob explained, and somebody changed in SQL."""
    row = make_bare_annotation(retriever=make_retriever(retriever_id="ret_1", name="Logos"))
    with tracing(Origin.WEB, "request-alice"), acting(alice):
        Annotation.objects.update(label="dog")
    with tracing(Origin.WEB, "request-bob"), acting(bob, note="took another look"):
        Annotation.objects.update(reasoning="the ears are counterfeit")
    Annotation.objects.update(label="cow")
    return row


def event_rows(client: Client, **wanted: str) -> list[tuple[str, str]]:
    """Return who and what of the events a filter leaves, newest first."""
    answer = client.get("/history", wanted)
    assert answer.status_code == 200
    return [(entry.who, entry.sentence) for entry in answer.context["entries"]]


ALICE, BOB = ("alice", "relabelled “cat” to “dog”"), ("bob", "changed the annotation")


def test_it_tells_who_did_what_newest_first(lena_client: Client, busy: Annotation) -> None:
    rows = event_rows(lena_client)
    assert rows[1:3] == [BOB, ALICE]
    assert rows[0][1] == "relabelled “dog” to “cow”"
    assert [sentence for _, sentence in rows[3:]] == [
        "recorded a new annotation",
        "recorded a new retriever",
    ]


def test_it_shows_the_change_the_reason_and_the_door(lena_client: Client, busy: Annotation) -> None:
    page = lena_client.get("/history").content.decode()
    assert '<ins class="diff-new" dir="auto">the ears are counterfeit</ins>' in page
    assert "took another look" in page
    assert "SQL, outside the app" in page
    assert "request-alice" in page


def test_it_shows_what_became_of_a_decision(lena_client: Client, alice: User) -> None:
    item = make_annotation(label="logo")
    decision = decide_by_form(item, alice, hold=0)
    settle_as_delivered(Change.objects.get(cause=decision.decision_id), version=2)
    page = collapsed(lena_client.get("/history"))
    assert "Confirmed, delivered v2" in page


def test_it_filters_by_person(lena_client: Client, busy: Annotation, alice: User) -> None:
    assert event_rows(lena_client, person=str(alice.pk)) == [ALICE]
    assert len(event_rows(lena_client, person="none")) == 3


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"action": "annotation.revised"}, [BOB]),
        ({"label_from": "cat"}, [ALICE]),
        ({"label_to": "dog"}, [ALICE]),
        ({"label_from": "cat", "label_to": "cow"}, []),
        ({"q": "counterfeit"}, [BOB]),
        ({"q": '"another look"'}, [BOB]),
        ({"q": "alice"}, [ALICE]),
        ({"ref": "annotations/ann_2"}, []),
        ({"since": "2999-01-01T00:00"}, []),
        ({"until": "1999-01-01T00:00"}, []),
    ],
)
def test_it_filters(
    wanted: dict[str, str], told: list[tuple[str, str]], lena_client: Client, busy: Annotation
) -> None:
    assert event_rows(lena_client, **wanted) == told


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ({"retriever": "ret_1"}, 5),
        ({"ref": "annotations/ann_1"}, 4),
        ({"q": "ann_1"}, 4),
        ({"since": "1999-01-01T00:00", "until": "2999-01-01T00:00"}, 5),
        ({"since": "1999-01-01T00:00+02:00"}, 5),
    ],
)
def test_it_keeps_what_fits(
    wanted: dict[str, str], number: int, lena_client: Client, busy: Annotation
) -> None:
    assert len(event_rows(lena_client, **wanted)) == number


def test_it_filters_by_several_people(
    lena_client: Client, busy: Annotation, alice: User, bob: User
) -> None:
    page = lena_client.get(f"/history?person={alice.pk}&person={bob.pk}")
    assert [(entry.who, entry.sentence) for entry in page.context["entries"]] == [BOB, ALICE]
    with_nobody = lena_client.get(f"/history?person={alice.pk}&person=none")
    assert len(with_nobody.context["entries"]) == 4


@pytest.fixture
def pulled(busy: Annotation) -> None:
    """A pull, a delivery and a change at Mixpeek after what the people did."""
    with tracing(Origin.PULL, "request-pull"), acting(None):
        for number in range(120):
            make_bare_annotation(ref=f"annotations/new_{number}", document_id=f"doc_{number}")
        Annotation.objects.filter(pk=busy.pk).update(label="fox")
    with tracing(Origin.WORKER, "request-worker"), acting(None):
        make_bare_change()


def test_it_opens_with_what_people_did(lena_client: Client, pulled: None) -> None:
    assert event_rows(lena_client)[1:3] == [BOB, ALICE]
    assert len(event_rows(lena_client)) == 5
    page = lena_client.get("/history").text
    assert 'href="/history?show=mixpeek"' in page
    assert 'href="/history?show=deliveries"' in page


def test_it_shows_programs_one_click_away(lena_client: Client, pulled: None) -> None:
    assert event_rows(lena_client, show="deliveries") == [("Worker", "queued a change for Mixpeek")]
    assert event_rows(lena_client, show="mixpeek")[0] == (
        "Pull",
        "noticed that somebody at Mixpeek relabelled “cow” to “fox”",
    )
    assert len(event_rows(lena_client, show="all")) == 5 + 121 + 1


def test_it_shows_everybody_who_did_a_chosen_action(lena_client: Client, pulled: None) -> None:
    assert len(event_rows(lena_client, action="change.queued")) == 1


def test_it_folds_runs_of_like_events(lena_client: Client, pulled: None) -> None:
    page = lena_client.get("/history?show=mixpeek")
    runs = page.context["runs"]
    assert [run.is_folded for run in runs] == [False, True]
    assert "recorded 120 annotations" in page.text
    assert "annotations/new_7<" in page.text


def test_it_folds_what_a_person_did_in_one_request_only(lena_client: Client, alice: User) -> None:
    row = make_bare_annotation()
    for number in range(3):
        with tracing(Origin.WEB, f"request-{number}"), acting(alice):
            Annotation.objects.filter(pk=row.pk).update(reasoning=f"look {number}")
    runs = lena_client.get("/history").context["runs"]
    assert not any(run.is_folded for run in runs)


def test_it_counts_the_newest_events_and_says_if_there_are_more(busy: Annotation) -> None:
    everything = Event.objects.newest()
    number = everything.count()
    exactly = count_events(everything, most=number)
    assert (exactly.count, exactly.is_cut) == (number, False)

    cut = count_events(everything, most=1)
    assert [(total.action, total.count) for total in cut.totals] == [(everything[0].action, 1)]
    assert cut.is_cut


def test_it_counts_by_person_and_action(lena_client: Client, busy: Annotation, alice: User) -> None:
    page = lena_client.get("/history/totals")
    counts = {(total.actor_id, total.action): total.count for total, _ in page.context["totals"]}
    assert counts[alice.pk, "annotation.relabelled"] == 1
    assert page.context["count"] == 5
    link = f"/history?person={alice.pk}&amp;action=annotation.relabelled"
    assert f'href="{link}"' in page.text

    narrowed = lena_client.get(f"/history/totals?person={alice.pk}").context
    assert narrowed["count"] == 1
    assert "No matching events" in lena_client.get("/history/totals?q=unicorn").text
    assert lena_client.get("/history/totals?since=never").status_code == 422


def test_it_leads_from_an_event_to_its_person(
    lena_client: Client, busy: Annotation, alice: User
) -> None:
    assert f'href="/people/{alice.pk}/decisions"' in lena_client.get("/history").text


def test_it_offers_retrievers_by_their_name_of_last(lena_client: Client, busy: Annotation) -> None:
    assert busy.retriever is not None
    busy.retriever.name = "Marks"
    busy.retriever.save()
    assert '<option value="ret_1">Marks</option>' in lena_client.get("/history").content.decode()


@pytest.mark.parametrize(
    "wanted",
    [
        {"show": "odd"},
        {"person": "abc"},
        {"person": "999999"},
        {"action": "annotation.exploded"},
        {"retriever": "nope"},
        {"since": "yesterday"},
        {"since": "2025-01-02T00:00", "until": "2025-01-01T00:00"},
        {"q": "x" * 201},
        {"ref": "nul\0byte"},
    ],
)
def test_it_answers_422_to_a_filter_that_makes_no_sense(
    wanted: dict[str, str], lena_client: Client
) -> None:
    (name,) = list(wanted)[-1:]
    for headers in ({}, HTMX):
        answer = lena_client.get("/history", wanted, headers=headers)
        assert answer.status_code == 422
        assert answer.context["form"].errors.keys() == {name}
        assert str(answer.context["form"][name].label) in answer.content.decode()
    assert lena_client.get("/history.csv", wanted).status_code == 422


@pytest.mark.parametrize("path", ["/history", "/history.csv"])
def test_it_is_for_leads_and_admins(
    path: str, client: Client, alice: User, lena: User, adam: User
) -> None:
    assert client.get(path).status_code == 302
    for person, status in ((alice, 403), (lena, 200), (adam, 200)):
        client.force_login(person)
        assert client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/history", "/history.csv"])
def test_it_is_only_read(path: str, lena_client: Client) -> None:
    assert lena_client.post(path).status_code == 405


def test_it_pages_by_key_and_finds_every_event_once(lena_client: Client) -> None:
    row = make_bare_annotation()
    for number in range(119):
        Annotation.objects.filter(pk=row.pk).update(label=f"label {number}")
    seen, address = [], "/history?label_from=&ref=annotations/ann_1"
    while address:
        answer = lena_client.get(address)
        seen += [entry.sentence for entry in answer.context["entries"]]
        address = answer.context["pager"].after
    assert len(seen) == len(set(seen)) == 120
    back = lena_client.get(answer.context["pager"].before)
    assert [entry.sentence for entry in back.context["entries"]] == seen[50:100]


def test_it_starts_again_from_a_cursor_of_elsewhere(lena_client: Client, busy: Annotation) -> None:
    answer = lena_client.get("/history", {"cursor": "bm9uc2Vuc2U"})
    assert "That page no longer exists." in answer.content.decode()
    assert len(answer.context["entries"]) == 5


def test_it_says_why_there_is_nothing(lena_client: Client) -> None:
    assert "No events yet" in lena_client.get("/history").content.decode()
    assert "No matching events" in lena_client.get("/history", {"q": "unicorn"}).content.decode()


def test_it_gives_htmx_the_events_alone_and_their_address(
    lena_client: Client, busy: Annotation
) -> None:
    answer = lena_client.get("/history", {"q": "counterfeit", "person": ""}, headers=HTMX)
    assert answer.content.decode().lstrip().startswith('<section id="events"')
    assert answer["HX-Push-Url"] == "/history?q=counterfeit"
    assert "HX-Request" in answer["Vary"]
    assert (
        "<html"
        in lena_client.get(
            "/history", headers=HTMX | {"HX-History-Restore-Request": "true"}
        ).content.decode()
    )


def test_it_keeps_the_filters_in_the_download(lena_client: Client, busy: Annotation) -> None:
    page = lena_client.get("/history", {"q": "counterfeit", "label_to": ""}).content.decode()
    assert 'href="/history.csv?q=counterfeit&amp;show=people"' in page


def test_it_never_renders_what_people_wrote_as_html(lena_client: Client, alice: User) -> None:
    with acting(alice, note="<script>alert(1)</script>"):
        make_bare_annotation(
            ref="annotations/<b>",
            label="<i>cat</i>",
            reasoning="<img src=x>",
            payload={"<u>": "<s>"},
        )
    page = lena_client.get("/history").content.decode()
    for tag in ("<script>alert", "<b>", "<i>", "<img src=x", "<u>", "<s>"):
        assert tag not in page


FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "person": {"person": "none"},
    "action": {"action": "annotation.relabelled"},
    "retriever": {"retriever": "ret_1"},
    "ref": {"ref": "annotations/ann_1"},
    "labels": {"label_from": "cat", "label_to": "dog"},
    "time": {"since": "2020-01-01T00:00", "until": "2999-01-01T00:00"},
    "search": {"q": "counterfeit"},
}


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
def test_it_takes_no_more_queries_for_many_events(
    wanted: dict[str, str], lena_client: Client, busy: Annotation
) -> None:
    with CaptureQueriesContext(connection) as few:
        lena_client.get("/history", wanted, headers=HTMX)
    for number in range(60):
        Annotation.objects.filter(pk=busy.pk).update(label=f"{number}")
    with CaptureQueriesContext(connection) as many:
        lena_client.get("/history", wanted, headers=HTMX)
    assert len(many) <= len(few) <= 8


INDEXED: dict[str, tuple[dict[str, Any], str]] = {
    "person": ({"actor_id": 7}, "event_by"),
    "action": ({"action": "annotation.relabelled"}, "event_doing"),
    "retriever": ({"retriever_id": "ret_7"}, "event_around"),
    "ref": ({"ref": "annotations/7"}, "event_about"),
    "request": ({"request_id": "r7"}, "event_request"),
    "label before": ({"label_from": "a7"}, "event_label_from"),
    "label after": ({"label_to": "b7"}, "event_label_to"),
}


def make_many_events() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_event
                (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)
            SELECT now() - n * interval '1 minute', n % 500, 'p' || n % 500, 'a' || n % 500, 'annotations/' || n,
                   'ret_' || n % 500, 'web', 'r' || n, jsonb_build_object('label', jsonb_build_array('a' || n, 'b' || n)),
                   'note' || n
            FROM generate_series(1, 20000) n
            """
        )
        cursor.execute("ANALYZE audit_event")
        # As autovacuum does, which is off here; what waits to be put into the index makes it look
        # dear.
        cursor.execute("SELECT gin_clean_pending_list('event_words')")


def plan(events: Any) -> str:
    return str(events[:51].explain())


def test_it_has_an_index_for_each_filter_for_time_and_for_words() -> None:
    make_many_events()
    for wanted, index in INDEXED.values():
        assert index in plan(Event.objects.filter(**wanted).newest())
    assert "event_newest" in plan(Event.objects.newest())
    assert "event_newest" in plan(Event.objects.between(None, timezone.now()).newest())
    assert "event_words" in plan(Event.objects.mentioning("note7").newest())
    either = plan(Event.objects.mentioning("note7", "annotations/7", "annotations/8").newest())
    assert "event_words" in either
    assert "event_about" in either
