"""What was made here is found by the name that Mixpeek gave it later, as well as by ours."""

from __future__ import annotations

from typing import cast

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.audit.models import Event
from reviewapp.audit.registry import find_ref_aliases
from tests.factories import make_bare_annotation

pytestmark = pytest.mark.django_db
OURS, THEIRS = "annotations/local-5b01", "annotations/ann_7f3a"


@pytest.fixture
def made_here() -> Annotation:
    """Make an annotation here that Mixpeek calls `ann_7f3a`, and another one."""
    make_bare_annotation(document_id="doc_2")
    row = make_bare_annotation(ref=OURS)
    Annotation.objects.filter(pk=row.pk).update(annotation_id="ann_7f3a")
    Annotation.objects.filter(pk=row.pk).update(label="dog")
    return row


@pytest.mark.parametrize(
    "wanted",
    [
        {"ref": OURS},
        {"ref": THEIRS},
        {"ref": "ann_7f3a"},
        {"ref": "local-5b01"},
        {"q": "ann_7f3a"},
        {"q": THEIRS},
        {"q": f'"{THEIRS}"'},
    ],
)
def test_it_finds_all_that_happened_by_either_name(
    wanted: dict[str, str], made_here: Annotation, client: Client, lena: User
) -> None:
    client.force_login(lena)
    page = client.get("/history", wanted)
    assert [entry.ref for entry in page.context["entries"]] == [OURS] * 3
    file = cast("StreamingHttpResponse", client.get("/history.csv", wanted))
    assert b"".join(cast("list[bytes]", file.streaming_content)).count(OURS.encode()) == 3


def test_it_goes_on_finding_what_mixpeek_named_before_we_did(made_here: Annotation) -> None:
    Event.objects.create(
        at="2026-01-01T00:00Z",
        actor_name="alice",
        action="change.queued",
        ref=THEIRS,
        origin="webhook",
    )
    assert find_ref_aliases(OURS) == [OURS, THEIRS]
    assert find_ref_aliases(THEIRS) == [THEIRS, OURS]
    assert Event.objects.about(*find_ref_aliases(OURS)).count() == 4


def test_it_leads_from_either_name_to_the_page(
    made_here: Annotation, client: Client, lena: User
) -> None:
    client.force_login(lena)
    for ref in (OURS, THEIRS):
        assert client.get("/by-ref", {"ref": ref})["Location"] == f"/annotations/{made_here.pk}"
    assert client.get("/by-ref", {"ref": "annotations/ann_none"}).status_code == 404


@pytest.mark.parametrize(
    "said", ["annotations/ann_none", "people/alice", "annotations/\0", "annotations/"]
)
def test_it_knows_no_other_name_of_what_it_does_not_know(said: str, made_here: Annotation) -> None:
    assert find_ref_aliases(said) == [said]
