"""Figures for scripts: the same numbers as on the page, as JSON and as CSV."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.annotations.figures.tables import COLUMNS, Figure
from tests.api.conftest import Caller
from tests.decisions import decide
from tests.factories import make_annotation, make_retriever

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(alice: User, bob: User) -> None:
    """22 decisions about the label logo, of which 6 give another one."""
    vans = make_retriever("Vans", retriever_id="ret_vans", version=2)
    for number in range(21):
        label = "fake" if number < 6 else "logo"
        decide(make_annotation(vans, confidence=0.95), alice, label=label, seconds=number / 2)
    decide(make_annotation(vans, confidence=0.95), bob, outcome="undecidable", reasoning="dark")
    make_annotation(vans)


def rows(caller: Caller, figure: str, query: str = "") -> list[dict[str, Any]]:
    reply = caller("GET", f"/v1/figures/{figure}?{query}")
    assert reply.status_code == 200, reply.content
    found: list[dict[str, Any]] = reply.json()["rows"]
    return found


def test_it_has_the_numbers_of_the_page(
    as_lena: Caller, lena_client: Client, alice: User, decided: None
) -> None:
    today = rows(as_lena, "decisions")[-1]
    assert (today["decisions"], today["confirmed"], today["relabelled"]) == (22, 15, 6)
    assert (today["undecidable"], today["median_seconds"], today["p90_seconds"]) == (1, 5.0, 9.0)
    shown = lena_client.get("/figures").context["figures"]
    assert shown.periods[-1].tally.total == 22

    people = [(row["person"], row["decisions"]) for row in rows(as_lena, "people")]
    assert people == [("alice", 21), ("bob", 1)]
    assert rows(as_lena, "people", f"person={alice.pk}")[0]["person_id"] == alice.pk
    assert rows(as_lena, "retrievers")[0]["retriever_id"] == "ret_vans"
    labels = [(row["label"], row["decisions"]) for row in rows(as_lena, "labels")]
    assert labels == [("logo", 15), ("fake", 6), ("", 1)]
    assert rows(as_lena, "deliveries")[-1]["queued"] == 7
    assert {"age": "older", "items": 1} in rows(as_lena, "waiting")


def test_it_has_the_overrides(as_lena: Caller, decided: None) -> None:
    (logo,) = rows(as_lena, "overrides")
    assert (logo["machine_label"], logo["decisions"], logo["overridden"]) == ("logo", 22, 6)
    assert logo["share"] == pytest.approx(6 / 22)
    assert logo["low"] < logo["share"] < logo["high"]
    pairs = [(row["label"], row["decisions"]) for row in rows(as_lena, "label-pairs")]
    assert pairs == [("logo", 15), ("fake", 6), ("", 1)]
    (band,) = rows(as_lena, "confidence")
    assert (band["confidence"], band["decisions"]) == ("0.9 and above", 22)
    (version,) = rows(as_lena, "versions")
    assert (version["retriever_id"], version["version"], version["overridden"]) == (
        "ret_vans",
        2,
        6,
    )
    assert rows(as_lena, "overrides", "label_to=fake")[0]["share"] is None


@pytest.mark.parametrize("figure", Figure.values)
def test_a_spreadsheet_has_the_same_rows(
    as_lena: Caller, lena_client: Client, decided: None, figure: str
) -> None:
    reply = as_lena("GET", f"/v1/figures/{figure}?format=csv")
    page = lena_client.get(f"/figures/{figure}.csv")
    assert reply["Content-Type"] == page["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.content == page.content
    text = page.content.decode("utf-8-sig")
    lines = list(csv.DictReader(StringIO(text, newline="")))
    plain = rows(as_lena, figure)
    assert len(lines) == len(plain) > 0
    for line, row in zip(lines, plain, strict=True):
        expected = {name: "" if row[name] is None else str(row[name]) for name in COLUMNS[figure]}
        assert line == expected


def test_it_names_its_span(as_lena: Caller) -> None:
    query = "since=2026-03-01T00:00&until=2026-03-02T00:00&zone=Europe/Vienna"
    body = as_lena("GET", f"/v1/figures/decisions?{query}").json()
    assert (body["since"], body["until"], body["rows"]) == (None, None, [])
    assert (body["step"], body["zone"]) == ("day", "Europe/Vienna")


@pytest.mark.parametrize("query", ["person=nobody", "moved=far", "format=xml", "since=2&until=1"])
def test_it_names_the_parameter_that_makes_no_sense(as_lena: Caller, query: str) -> None:
    reply = as_lena("GET", f"/v1/figures/decisions?{query}")
    assert reply.status_code == 422
    (problem, *_) = reply.json()["error"]["details"]["validation_errors"]
    assert problem["location"][0] == "query"
    assert problem["location"][1] in query


def test_it_is_for_leads(as_alice: Caller, as_lena: Caller, alice_client: Client) -> None:
    assert as_alice("GET", "/v1/figures/decisions").status_code == 403
    assert alice_client.get("/figures/decisions.csv").status_code == 403
    assert as_lena("GET", "/v1/figures/nothing").status_code == 404


def test_the_page_leads_to_its_tables(lena_client: Client, decided: None) -> None:
    page = lena_client.get("/figures?by=label").text + lena_client.get("/decisions/overrides").text
    for figure in Figure.values:
        assert f'href="/figures/{figure}.csv' in page
    assert lena_client.get("/figures/nothing.csv").status_code == 404
    assert lena_client.get("/figures/people.csv?moved=far").status_code == 422
