"""A lead reads how often people override the machine's labels."""

from __future__ import annotations

import csv
import re
from html import unescape
from io import StringIO

import pytest
from django.db import connection
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.decisions.overrides import wilson_interval
from reviewapp.retrievers.models import Retriever
from tests.decisions import decide
from tests.factories import make_annotation, make_retriever

# A number of a table that leads to its decisions.
LINK = re.compile(r'<a class="small-link" href="(/decisions[^"]+)">([\d,]+)</a>')

# The same count by hand: what the page says must equal it.
_RECOUNT = """
    SELECT count(*), count(*) FILTER (WHERE d.outcome = 'decided' AND d.label <> 'logo')
    FROM annotations_decision d JOIN annotations_annotation a ON a.id = d.annotation_id
    WHERE d.base ->> 'label' = 'logo' AND a.proposed ->> 'label' = 'logo'
    AND d.base ->> 'decision' IS NULL
    AND NOT EXISTS (SELECT FROM annotations_undo u WHERE u.decision_id = d.id)
"""


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 20, 0.0, 0.1611),
        (10, 20, 0.2993, 0.7007),
        (20, 20, 0.8389, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_it_gives_the_interval_of_the_tables(
    successes: int, trials: int, low: float, high: float
) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=1e-4)


@pytest.fixture
def decided(alice: User, bob: User) -> None:
    """Of 22 items labelled logo by the machine, 6 are relabelled; others do not count."""
    for number in range(22):
        label = "logo"
        if number < 6:
            label = "fake" if number < 4 else "real"
        decide(make_annotation(), alice, label=label)
    decide(make_annotation(), alice, outcome="undecidable", reasoning="too dark")
    disputed = make_annotation(label="van")
    decide(disputed, alice)
    decide(disputed, bob, label="car")
    undo(decide(make_annotation(), bob, label="fake", hold=60).pk, actor=bob)
    decide(make_annotation(proposed={}), bob, label="fake")


@pytest.mark.django_db
def test_it_counts_what_was_decided_about_each_label(lena_client: Client, decided: None) -> None:
    logo, van = lena_client.get("/decisions/overrides").context["overrides"].labels

    assert (logo.label, logo.total, logo.overridden, logo.undecidable) == ("logo", 23, 6, 1)
    assert logo.by_label == {"logo": 16, "fake": 4, "real": 2}
    assert logo.other_labels == {"fake": 4, "real": 2}
    assert (van.label, van.total, van.overridden) == ("van", 1, 0)
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT)
        assert cursor.fetchone() == (logo.total, logo.overridden)


@pytest.mark.django_db
def test_it_says_when_there_are_too_few(lena_client: Client, decided: None) -> None:
    page = lena_client.get("/decisions/overrides").text
    assert "26.1 %" in page
    assert "12.5 to 46.5 %" in page
    assert "Too few to say: under 20" in page


@pytest.mark.django_db
def test_each_number_leads_to_its_decisions(lena_client: Client, decided: None) -> None:
    page = unescape(lena_client.get("/decisions/overrides").text)
    logo = "/decisions?standing=not_undone&seen=machine&label_from=logo"
    for address, number in (
        (logo, 23),
        (logo.replace("?", "?outcome=relabelled&"), 6),
        (logo.replace("?", "?outcome=undecidable&"), 1),
        (f"{logo}&label_to=fake", 4),
    ):
        assert f'href="{address}"' in page
        assert len(lena_client.get(address).context["rows"]) == number

    links = LINK.findall(page)
    assert len(links) > 25
    for address, shown in set(links):
        assert len(lena_client.get(address).context["rows"]) == int(shown), address


@pytest.mark.django_db
def test_it_tells_the_machines_confidence_and_the_version_apart(
    lena_client: Client, alice: User
) -> None:
    vans = make_retriever("Vans", retriever_id="ret_vans", version=2)
    for confidence, label in ((0.05, "fake"), (0.9, "logo"), (1.0, "fake"), (None, "logo")):
        decide(make_annotation(vans, confidence=confidence), alice, label=label)
    Retriever.objects.filter(pk=vans.pk).update(version=3)
    decide(make_annotation(vans, confidence=0.95), alice, outcome="undecidable", reasoning="dark")

    overrides = lena_client.get("/decisions/overrides").context["overrides"]
    bands = []
    for band, share in overrides.bands:
        bands.append((band.value, share.total, share.overridden, share.undecidable))
    assert bands == [("0", 1, 1, 0), ("9", 3, 1, 1), ("none", 1, 0, 0)]

    versions = []
    for name, version, share in overrides.versions:
        versions.append((name, version, share.total, share.overridden))
    assert versions == [("Vans", 3, 1, 0), ("Vans", 2, 4, 2)]


@pytest.mark.django_db
def test_it_says_which_labels_are_confused(lena_client: Client, decided: None) -> None:
    overrides = lena_client.get("/decisions/overrides").context["overrides"]
    pairs = [(pair.machine, pair.person, pair.overridden) for pair in overrides.confusions]
    assert pairs == [("logo", "fake", 4), ("logo", "real", 2)]
    assert overrides.columns == ["logo", "fake", "real", "van"]


@pytest.mark.django_db
def test_it_keeps_the_filter(lena_client: Client, bob: User, decided: None) -> None:
    overrides = lena_client.get(f"/decisions/overrides?person={bob.pk}").context["overrides"]
    assert overrides.labels == []
    listed = lena_client.get(f"/decisions?person={bob.pk}").text
    assert f'href="/decisions/overrides?person={bob.pk}"' in listed


@pytest.mark.django_db
def test_it_is_a_table_for_spreadsheets(lena_client: Client, decided: None) -> None:
    response = lena_client.get("/figures/overrides.csv")
    text = response.content.decode("utf-8-sig")
    logo, van = csv.DictReader(StringIO(text, newline=""))
    assert (logo["machine_label"], logo["decisions"], logo["overridden"]) == ("logo", "23", "6")
    assert float(logo["share"]) == pytest.approx(6 / 23)
    assert (van["share"], van["low"], van["high"]) == ("", "", "")


@pytest.mark.django_db
def test_it_is_for_leads_and_refuses_a_filter_that_makes_no_sense(
    lena_client: Client, alice_client: Client
) -> None:
    assert alice_client.get("/decisions/overrides").status_code == 403
    assert lena_client.get("/decisions/overrides?person=nobody").status_code == 422
    assert "No matching decisions" in lena_client.get("/decisions/overrides").text
