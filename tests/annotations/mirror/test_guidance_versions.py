"""History names the versions of labels and guidelines that each decision was made with."""

from __future__ import annotations

import csv
from io import StringIO
from typing import cast

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.api import tokens
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.audit.registry import GuidanceVersions, find_guidance_versions
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels, write_guidelines
from tests.api.conftest import Caller
from tests.decisions import decide
from tests.factories import make_annotation, make_retriever

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(alice: User, adam: User) -> Annotation:
    """An annotation decided under no labels, under v1 of both, and under v2 of the labels."""
    retriever = make_retriever()
    row = make_annotation(retriever)
    decide(row, alice, label="logo", confidence=None)
    set_labels(retriever.pk, [Label(value="cat")], other_allowed=True, base_version=0, actor=adam)
    write_guidelines(retriever.pk, "Look twice.", base_version=0, actor=adam)
    decide(row, alice, label="cat", confidence=None)
    set_labels(retriever.pk, [Label(value="dog")], other_allowed=True, base_version=1, actor=adam)
    decide(row, alice, label="dog", confidence=None)
    return row


def test_it_tells_each_decision_with_what_it_was_made_with(decided: Annotation) -> None:
    pairs = [
        entry.guidance_versions
        and (entry.guidance_versions.labels, entry.guidance_versions.guidelines)
        for entry in timeline(decided.ref)
    ]
    assert [pair for pair in pairs if pair] == [(2, 1), (1, 1)]


def test_it_links_the_versions(decided: Annotation, client: Client, adam: User, lena: User) -> None:
    key = decided.retriever_id
    for address in ("/history", f"/annotations/{decided.pk}"):
        for person in (lena, adam):
            client.force_login(person)
            page = " ".join(client.get(address).content.decode().split())
            assert f'<a href="/retrievers/{key}/labels/1">labels v1</a>' in page
            assert f'<a href="/retrievers/{key}/guidelines/1">guidelines v1</a>' in page


@pytest.mark.parametrize("name", ["labels", "guidelines"])
def test_it_shows_the_version_that_a_link_means_however_old(
    name: str, client: Client, adam: User
) -> None:
    retriever = make_retriever()
    for version in range(22):
        set_labels(
            retriever.pk,
            [Label(value=f"l{version}")],
            other_allowed=True,
            base_version=version,
            actor=adam,
        )
        write_guidelines(retriever.pk, f"Text {version}", base_version=version, actor=adam)
    client.force_login(adam)
    address = f"/retrievers/{retriever.pk}/{name}"
    assert 'id="v1"' not in client.get(address).content.decode()
    assert 'id="v1"' in client.get(address, {"version": "1"}).content.decode()
    assert client.get(address, {"version": "9" * 18}).status_code == 200


def test_it_asks_for_all_decisions_in_few_queries(decided: Annotation) -> None:
    timeline(decided.ref)
    with CaptureQueriesContext(connection) as queries:
        timeline(decided.ref)
    assert len(queries) <= 2
    assert find_guidance_versions([2**62]) == {}


def test_it_says_so_in_the_file(decided: Annotation, client: Client, lena: User) -> None:
    client.force_login(lena)
    answer = cast(
        "StreamingHttpResponse", client.get("/history.csv", {"ref": decided.ref, "label_to": "dog"})
    )
    text = b"".join(cast("list[bytes]", answer.streaming_content)).decode("utf-8-sig")
    (line,) = csv.DictReader(StringIO(text, newline=""))
    assert (line["labels_version"], line["guidelines_version"]) == ("2", "1")


def test_it_says_so_by_the_api(decided: Annotation, lena: User, settings: Settings) -> None:
    settings.MIXPEEK_NAMESPACE = "ns_sample"
    script = Caller(tokens.create_token(lena, name="script", scope="read", days=1, actor=None)[1])
    reply = script("POST", "/v1/history/list", {"ref": decided.ref}).json()["results"]
    events = [
        (event["labels_version"], event["guidelines_version"])
        for event in reply
        if "label" in event["changes"]
    ]
    assert events[:2] == [(2, 1), (1, 1)]
    assert {versions for *_, versions in events[2:]} == {None}


def test_it_knows_the_retriever_of_each(decided: Annotation) -> None:
    versions = GuidanceVersions(retriever=decided.retriever_id, labels=2, guidelines=1)
    decided.refresh_from_db()
    assert decided.decision_id is not None
    assert find_guidance_versions([decided.decision_id]) == {decided.decision_id: versions}
