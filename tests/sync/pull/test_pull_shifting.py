"""A pull sees every record that stays while upstream's list grows and shrinks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.sync.models import PullPass
from reviewapp.sync.pull import annotations as pull_annotations
from reviewapp.sync.pull.counts import Counts
from tests.proofs import examples
from tests.sandbox_data import document_json, retriever_json, write_data_folder
from tests.sync import upstream
from tests.sync.pull.test_pull import Hooked
from tests.tools.sandbox.running import Box, SharedSandboxes

SIZE, ROWS = 4, 17


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, sandboxes: SharedSandboxes) -> Box:
    folder = tmp_path_factory.mktemp("shifting")
    write_data_folder(
        folder, retrievers=[retriever_json()], documents=map(document_json, range(ROWS))
    )
    return sandboxes.namespace(folder)


@pytest.fixture(scope="module")
def client(box: Box) -> Iterator[Client]:
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        yield client


# For each page: how many of the rows still there go away, from which end, and how many are added.
MEANWHILE = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 2)), max_size=6)


@pytest.mark.django_db
@settings(
    max_examples=examples(5, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(MEANWHILE)
@example([(5, False, 0), (6, True, 0)])  # the list ends before the page that is asked for
def test_it_sees_every_row_that_stays(
    box: Box, client: Client, meanwhile: list[tuple[int, bool, int]]
) -> None:
    upstream.delete(box, *upstream.listed(box))
    staying, steps = upstream.annotate(box, *range(ROWS)), iter(meanwhile)

    def shift() -> None:
        removed, oldest_first, added = next(steps, (0, True, 0))
        for _ in range(min(removed, len(staying))):
            upstream.delete(box, staying.pop(0 if oldest_first else -1))
        upstream.annotate(box, *range(added))

    walk(client, Hooked(shift))
    assert set(staying) <= present()
    walk(client, Hooked())
    assert present() == upstream.listed(box)


def walk(client: Client, report: Hooked) -> None:
    """Make one complete walk."""
    PullPass.objects.all().delete()
    at = PullPass.objects.create(started_at=timezone.now())
    pull_annotations.pull(client, at, report, Counts(), size=SIZE)
    pull_annotations.look_for_missing(client, at, Hooked(), Counts())


def present() -> set[str | None]:
    there = Annotation.objects.filter(annotation_id__isnull=False).exclude(
        status=Annotation.Status.GONE
    )
    return set(there.values_list("annotation_id", flat=True))
