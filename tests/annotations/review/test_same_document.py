"""An item's page names its query and the other judgements of the same document."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.retrievers.documents.snapshot import digest
from reviewapp.retrievers.models import Execution, Result, Retriever
from tests.collapsed import collapsed
from tests.factories import make_annotation, make_execution, make_result, make_retriever

pytestmark = pytest.mark.django_db
DIFFERENT = "the document has changed since"


@pytest.fixture
def retriever() -> Retriever:
    return make_retriever("Mills", input_schema={"query": {"type": "string"}})


def make_query(retriever: Retriever, query: str) -> Execution:
    return make_execution(retriever, inputs={"query": query})


def returned(execution: Execution, text: str = "By the river.", **values: Any) -> Result:
    """Return a result of doc_1 as a run stores it, its score within the snapshot."""
    score = values.get("score", 0.5)
    snapshot = {"text": text, "score": score}
    fields = {"document_id": "doc_1", "snapshot": snapshot, "digest": digest(snapshot)}
    return make_result(execution.retriever, execution=execution, **fields | values)


def item(execution: Execution, result: Result | None = None, **values: Any) -> Annotation:
    """Return an item of doc_1 that names this run."""
    fields = {"document_id": "doc_1", "execution_id": execution.execution_id, "result": result}
    return make_annotation(execution.retriever, **fields | values)


def page_of(client: Client, person: User, annotation: Annotation) -> str:
    client.force_login(person)
    return collapsed(client.get(reverse("review", args=[annotation.pk])))


def test_it_shows_the_rank_and_score_of_its_own_run_only(
    client: Client, alice: User, retriever: Retriever
) -> None:
    mill, river = make_query(retriever, "mill"), make_query(retriever, "river")
    own = item(mill, returned(mill, rank=4, score=0.2503))
    other = item(mill, returned(river, rank=9, score=0.7519), label="other")
    page = page_of(client, alice, own)
    assert "0.2503" in page
    assert "mill</dd>" in page

    page = page_of(client, alice, other).split('id="about"')[0]
    assert "mill</dd>" in page
    assert "river" not in page.split("<h2")[0]
    assert "0.7519" not in page
    assert "Not kept by Mixpeek" in page


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (None, "Not pulled from Mixpeek yet"),
        (
            {"status": "gone"},
            "Unknown: Mixpeek no longer has this run",
        ),
        ({"status": "completed"}, "Mixpeek does not say which inputs this run had"),
        ({"status": "completed", "query_summary": "query=mill"}, "query=mill"),
    ],
    ids=["unknown", "gone", "without inputs", "summary"],
)
def test_it_says_what_is_not_known_of_its_run(
    client: Client, alice: User, retriever: Retriever, run: dict[str, Any] | None, said: str
) -> None:
    if run is not None:
        make_execution(retriever, execution_id="exec_old", inputs={}, **run)
    alone = make_result(None, document_id="doc_1", rank=None, score=None)
    annotation = make_annotation(
        retriever, document_id="doc_1", execution_id="exec_old", result=alone
    )
    page = page_of(client, alice, annotation)
    assert said in page
    assert "exec_old" in page


def test_it_says_how_its_document_was_judged_for_another_query(
    client: Client, alice: User, retriever: Retriever
) -> None:
    mill, river = make_query(retriever, "mill"), make_query(retriever, "river")
    judged = item(mill, returned(mill), label="historical", status="decided")
    proposed = item(make_query(retriever, "barn"), label="modern")
    waiting = item(
        river, returned(river), annotation_id=None, label="", version=None, proposed={}, upstream={}
    )
    notices = page_of(client, alice, waiting).split('class="panel"')[0]
    address = reverse("review", args=[judged.pk])
    assert (
        f'Judged <a data-leaves href="{address}"><span class="label" dir="auto">historical</span></a>'
        in notices
    )
    assert 'for another query: <q dir="auto">query: mill</q>.' in notices
    assert reverse("review", args=[proposed.pk]) not in notices
    assert "for another query" not in page_of(client, alice, judged).split('class="panel"')[0]


def test_it_does_not_call_the_same_query_another(
    client: Client, alice: User, retriever: Retriever
) -> None:
    first, again = make_query(retriever, "mill"), make_query(retriever, "mill")
    item(first, returned(first), label="historical", status="decided")
    page = page_of(client, alice, item(again, returned(again)))
    assert "for another query" not in page
    assert "same query, another run" in page


def test_it_says_for_which_query_each_other_result_and_annotation_is(
    client: Client, alice: User, retriever: Retriever
) -> None:
    mill, river, barn = (make_query(retriever, query) for query in ("mill", "river", "barn"))
    current = item(mill, returned(mill))
    item(barn)
    make_annotation(retriever, document_id="doc_1", execution_id="exec_unknown")
    result = returned(river, rank=3)
    about = page_of(client, alice, current).split('id="about"')[1]
    assert 'for <q dir="auto">query: barn</q>' in about
    assert "query unknown" in about
    assert 'for <q dir="auto">query: river</q>' in about
    assert f'action="{reverse("judge_result", args=[result.pk])}"' in about


def test_it_names_a_query_by_what_is_not_the_default(client: Client, alice: User) -> None:
    schema = {"query": {"type": "string"}, "most": {"type": "integer", "default": 10}}
    retriever = make_retriever(input_schema=schema)
    mill = make_execution(retriever, inputs={"query": "mill", "most": 10})
    few = make_execution(retriever, inputs={"query": "river", "most": 3})
    none = make_execution(retriever, inputs={"most": 10})
    for execution in (few, none):
        item(execution)
    about = page_of(client, alice, item(mill, returned(mill))).split('id="about"')[1]
    assert (
        '<q dir="auto">query: river, most: 3</q>' in about
        or '<q dir="auto">most: 3, query: river</q>' in about
    )
    assert '<q dir="auto">most: 10</q>' in about


def test_it_offers_no_judgement_of_what_has_its_item(
    client: Client, alice: User, retriever: Retriever
) -> None:
    mill, river = make_query(retriever, "mill"), make_query(retriever, "river")
    current = item(mill, returned(mill))
    other = item(river, returned(river))
    returned(make_query(retriever, "mill"))
    make_result(None, document_id="doc_1")
    about = page_of(client, alice, current).split('id="about"')[1]
    assert "Judge for this query" not in about
    assert about.count(reverse("review", args=[other.pk])) == 2
    assert "Pulled" in about


@pytest.mark.parametrize(("text", "differs"), [("By the river.", False), ("By the sea.", True)])
def test_it_calls_a_document_different_only_for_what_is_the_documents(
    client: Client, alice: User, retriever: Retriever, text: str, differs: bool
) -> None:
    mill, river = make_query(retriever, "mill"), make_query(retriever, "river")
    current = item(mill, returned(mill, score=0.25))
    other = returned(river, text, score=0.75, rank=8)
    assert current.result and current.result.digest != other.digest
    assert (DIFFERENT in page_of(client, alice, current)) == differs


def test_it_begins_a_judgement_for_another_query(
    client: Client, alice: User, retriever: Retriever
) -> None:
    mill, river = make_query(retriever, "mill"), make_query(retriever, "river")
    item(mill, returned(mill), status="decided")
    result = returned(river)
    client.force_login(alice)
    address = reverse("judge_result", args=[result.pk])
    reply = client.post(address)
    annotation = Annotation.objects.get(execution_id=river.execution_id)
    assert (reply.status_code, reply["Location"]) == (302, reverse("review", args=[annotation.pk]))
    assert (annotation.result, annotation.status) == (result, "waiting")
    assert client.post(address)["Location"] == reply["Location"]
    assert client.get(address).status_code == 405


def test_it_begins_none_for_a_document_alone_or_by_who_may_not_decide(
    client: Client, alice: User, stranger: User, retriever: Retriever
) -> None:
    client.force_login(alice)
    for pk in (make_result(None).pk, 999_999):
        assert client.post(reverse("judge_result", args=[pk])).status_code == 404
    client.force_login(stranger)
    result = returned(make_query(retriever, "mill"))
    assert client.post(reverse("judge_result", args=[result.pk])).status_code == 403
    assert not Annotation.objects.exists()


def test_it_asks_the_database_no_more_for_many_queries(
    client: Client,
    alice: User,
    retriever: Retriever,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    alone = make_result(None, document_id="doc_1", rank=None, score=None)
    current = item(make_query(retriever, "mill"), alone)
    for number in range(12):
        run = make_query(retriever, f"query {number}")
        item(run, status="decided", label=f"label {number}")
        returned(run)
    page_of(client, alice, current)
    with django_assert_max_num_queries(23):
        page_of(client, alice, current)


def test_it_says_on_the_run_what_was_judged_for_another_query(
    client: Client, alice: User, retriever: Retriever
) -> None:
    mill, river = make_query(retriever, "mill"), make_query(retriever, "river")
    judged = item(mill, returned(mill), label="historical", status="decided")
    result = returned(river)
    client.force_login(alice)
    address = reverse("execution", args=[river.pk])
    page = collapsed(client.get(address))
    assert f'Judged <a href="{reverse("review", args=[judged.pk])}">' in page
    assert "</a> for another query" in page
    assert reverse("judge_result", args=[result.pk]) in page
    waiting = item(river, result, annotation_id=None, label="")
    page = collapsed(client.get(address))
    assert f'class="row-link" dir="auto" href="{reverse("review", args=[waiting.pk])}"' in page
    assert "</a> for another query" in page
    assert "Judge for this query" not in page


def test_it_leads_from_a_run_to_the_judgement_of_an_earlier_run_of_its_query(
    client: Client, alice: User, retriever: Retriever
) -> None:
    first, again = make_query(retriever, "mill"), make_query(retriever, "mill")
    judged = item(first, returned(first), label="historical", status="decided")
    returned(again)
    client.force_login(alice)
    page = collapsed(client.get(reverse("execution", args=[again.pk])))
    assert f'class="row-link" dir="auto" href="{reverse("review", args=[judged.pk])}"' in page
    assert "in an earlier run of this query" in page
    assert "for another query" not in page


def test_it_says_on_the_run_that_mixpeek_no_longer_has_it(
    client: Client, alice: User, retriever: Retriever
) -> None:
    client.force_login(alice)
    gone = make_execution(retriever, status="gone", inputs={})
    assert "Mixpeek no longer has this run" in collapsed(
        client.get(reverse("execution", args=[gone.pk]))
    )
