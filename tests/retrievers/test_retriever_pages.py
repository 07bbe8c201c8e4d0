"""The list of retrievers, one of them, and what a run returned."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.mirror import absorb
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.retrievers.models import Execution, Result, Retriever
from tests.collapsed import collapsed
from tests.factories import make_annotation, make_execution, make_result, make_retriever

pytestmark = pytest.mark.django_db
SCHEMA = {
    "query": {"type": "string", "required": True, "description": "What to look for"},
    "most": {"type": "integer", "default": 10},
}


@pytest.fixture
def vans() -> Retriever:
    return make_retriever(
        "vans", input_schema=SCHEMA, description="Finds <b>vans</b>", tags=["logos"]
    )


def test_it_lists_retrievers_with_what_waits_and_the_last_run(
    client: Client, alice: User, vans: Retriever
) -> None:
    make_annotation(vans)
    make_annotation(vans, status="decided")
    make_execution(vans, created_at=timezone.now() - timedelta(days=1), status="failed")
    make_execution(vans, created_at=timezone.now())
    client.force_login(alice)
    page = collapsed(client.get(reverse("retrievers")))
    assert '<strong class="num"> 1 </strong> waiting' in page
    assert "Completed" in page
    assert "Failed" not in page
    assert "Finds &lt;b&gt;vans&lt;/b&gt;" in page


def test_it_asks_the_database_the_same_few_questions_for_many(client: Client, alice: User) -> None:
    client.force_login(alice)
    counts = []
    for _ in range(2):
        for _ in range(5):
            make_execution()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(reverse("retrievers"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_it_searches_by_name_and_says_when_nothing_is_called_so(
    client: Client, alice: User, vans: Retriever
) -> None:
    make_retriever("lorries")
    client.force_login(alice)
    text = collapsed(client.get(reverse("retrievers"), {"q": "VAN"}))
    assert "vans" in text
    assert "lorries" not in text
    for nonsense in ("zzz", "\x00", "%", "x" * 300):
        page = client.get(reverse("retrievers"), {"q": nonsense})
        assert page.status_code == 200
        assert "No retriever matches" in collapsed(page)


def test_it_pages_and_forgives_a_strange_cursor(client: Client, alice: User) -> None:
    for number in range(35):
        make_retriever(f"retriever {number:02}")
    client.force_login(alice)
    first = client.get(reverse("retrievers"))
    assert "retriever 29" in collapsed(first)
    second = client.get(first.context["pager"].after)
    assert "retriever 30" in collapsed(second)
    assert "retriever 29" not in collapsed(second)
    assert "no longer exists" in collapsed(client.get(reverse("retrievers"), {"cursor": "strange"}))


def test_it_answers_htmx_with_the_part_and_others_with_the_page(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    part = collapsed(client.get(reverse("retrievers"), headers={"HX-Request": "true"})).strip()
    assert part.startswith('<section id="retrievers"')
    assert "<html" in collapsed(client.get(reverse("retrievers")))


def test_it_shows_a_retriever_and_its_form_to_those_who_may_run_it(
    client: Client, alice: User, lena: User, vans: Retriever
) -> None:
    client.force_login(alice)
    assert 'id="run_form"' not in collapsed(client.get(reverse("retriever", args=[vans.pk])))
    client.force_login(lena)
    page = collapsed(client.get(reverse("retriever", args=[vans.pk])))
    assert 'name="input-query"' in page
    assert 'value="10"' in page
    assert "What to look for" in page


def test_it_does_not_offer_to_run_what_is_gone(client: Client, lena: User, vans: Retriever) -> None:
    Retriever.objects.update(gone_at=timezone.now())
    client.force_login(lena)
    assert 'id="run_form"' not in collapsed(client.get(reverse("retriever", args=[vans.pk])))
    reply = client.post(reverse("run", args=[vans.pk]), {"input-query": "van"})
    assert reply.status_code == 422
    assert not Execution.objects.exists()


def test_it_asks_for_a_run_and_leads_to_it(
    client: Client, lena: User, vans: Retriever, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(lena)
    with django_capture_on_commit_callbacks(execute=True):
        reply = client.post(
            reverse("run", args=[vans.pk]), {"input-query": "van", "input-most": "5"}
        )
    execution = Execution.objects.get()
    assert reply.headers["Location"] == reverse("execution", args=[execution.pk])
    assert (execution.status, execution.inputs, execution.requested_by) == (
        "requested",
        {"query": "van", "most": 5},
        "lena",
    )
    event = Event.objects.get(action=Action.EXECUTION_REQUESTED)
    assert (event.actor_name, event.ref) == ("lena", vans.ref)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'sync.run_requested'"
        )
        assert cursor.fetchall() == [(1,)]


def test_it_keeps_what_was_typed_when_it_is_wrong(
    client: Client, lena: User, vans: Retriever
) -> None:
    client.force_login(lena)
    reply = client.post(
        reverse("run", args=[vans.pk]), {"input-query": "<van>", "input-most": "many"}
    )
    page = collapsed(reply)
    assert reply.status_code == 422
    assert "Enter a whole number." in page
    assert 'value="&lt;van&gt;"' in page
    assert 'value="many"' in page
    assert not Execution.objects.exists()


def test_it_offers_to_run_again_with_the_same_inputs(
    client: Client, lena: User, vans: Retriever
) -> None:
    earlier = make_execution(vans, inputs={"query": "lorry", "most": 3})
    client.force_login(lena)
    assert f"?like={earlier.pk}#run_form" in collapsed(
        client.get(reverse("execution", args=[earlier.pk]))
    )
    page = collapsed(client.get(reverse("retriever", args=[vans.pk]), {"like": earlier.pk}))
    assert 'value="lorry"' in page
    assert 'value="3"' in page


@pytest.mark.parametrize(
    "like", ["0", "abc", "²", "9" * 30, "9" * 5000], ids=lambda like: like[:31]
)
def test_it_forgives_a_run_that_is_not_there(
    client: Client, lena: User, vans: Retriever, like: str
) -> None:
    client.force_login(lena)
    page = client.get(reverse("retriever", args=[vans.pk]), {"like": like})
    assert page.status_code == 200
    assert 'value="10"' in collapsed(page)


def test_it_lets_no_reviewer_run_anything(client: Client, alice: User, vans: Retriever) -> None:
    client.force_login(alice)
    assert client.post(reverse("run", args=[vans.pk]), {"input-query": "van"}).status_code == 403
    assert not Execution.objects.exists()


def test_it_runs_nothing_on_get_and_knows_no_other_retriever(
    client: Client, lena: User, vans: Retriever
) -> None:
    client.force_login(lena)
    assert client.get(reverse("run", args=[vans.pk])).status_code == 405
    assert client.post(reverse("run", args=[vans.pk + 1])).status_code == 404
    assert client.get(reverse("retriever", args=[vans.pk + 1])).status_code == 404
    assert client.get(reverse("execution", args=[1])).status_code == 404


@pytest.mark.parametrize("name", ["retrievers", "retriever", "execution"])
def test_it_shows_nothing_to_a_person_without_a_role(
    client: Client, stranger: User, name: str
) -> None:
    run = make_execution()
    client.force_login(stranger)
    args = {"retrievers": [], "retriever": [run.retriever.pk], "execution": [run.pk]}[name]
    assert client.get(reverse(name, args=args)).status_code == 403


def test_it_asks_again_only_while_a_run_is_pending(client: Client, alice: User) -> None:
    run = make_execution(status="requested", execution_id=None)
    client.force_login(alice)
    url = reverse("execution", args=[run.pk])
    waiting = collapsed(client.get(url, headers={"HX-Request": "true"}))
    assert 'hx-trigger="every 2s"' in waiting
    assert "Waiting for a worker" in waiting
    Execution.objects.update(status="completed", total_returned=0)
    done = collapsed(client.get(url, headers={"HX-Request": "true"}))
    assert "hx-trigger" not in done
    assert "No results" in done


def test_it_shows_failures_warnings_and_degradations(client: Client, alice: User) -> None:
    run = make_execution(
        status="failed",
        error="No <credits>",
        warnings=["Half of it"],
        degraded=[{"stage": "rerank", "reason": "slow"}],
    )
    client.force_login(alice)
    page = collapsed(client.get(reverse("execution", args=[run.pk])))
    assert "No &lt;credits&gt;" in page
    assert "Half of it" in page
    assert "stage: rerank, reason: slow" in page


def test_it_leads_from_each_result_to_its_review(
    client: Client, alice: User, vans: Retriever
) -> None:
    run = make_execution(vans)
    results = [
        make_result(vans, execution=run, rank=rank, document_id=f"doc_{rank}") for rank in (2, 1)
    ]
    absorb.attach_results(results)
    client.force_login(alice)
    page = collapsed(client.get(reverse("execution", args=[run.pk])))
    for result in Result.objects.all():
        [annotation] = result.annotations.all()
        assert f'href="{reverse("review", args=[annotation.pk])}"' in page
    assert page.index("doc_1") < page.index("doc_2")
