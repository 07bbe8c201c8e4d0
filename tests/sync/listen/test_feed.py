"""The change feed: from now on, never a page lost, quiet where there is none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from reviewapp.annotations.mirror import absorb
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.records import FeedPage
from reviewapp.sync.listen import feed, hints
from reviewapp.sync.models import FeedCursor, Hint, Quiet
from tests.sandbox_data import annotation_json, document_json, retriever_json, write_data_folder
from tests.sync import upstream
from tests.tools.sandbox.running import Box, SharedSandboxes, running_sandbox

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def box(tmp_path: Path, sandboxes: SharedSandboxes) -> Box:
    """A sandbox whose feed begins empty."""
    annotations = map(annotation_json, range(3))
    documents = map(document_json, range(3))
    folder = write_data_folder(
        tmp_path, retrievers=[retriever_json()], documents=documents, annotations=annotations
    )
    return sandboxes.namespace(folder)


@pytest.fixture
def mirrored(box: Box, mixpeek_client: Client) -> None:
    """What upstream has is mirrored, and the feed has been listened to once."""
    absorb.absorb(mixpeek_client.list_annotations().items)
    feed.poll(mixpeek_client)


def relabel(box: Box, number: int, label: str) -> None:
    assert (
        box.call("PATCH", f"/v1/annotations/ann_{number:05}", json={"label": label}).status_code
        == 200
    )


def heard() -> set[str]:
    return set(Hint.objects.values_list("annotation_id", flat=True))


def count_feed_requests(box: Box) -> int:
    return len(box.received(path="/v1/events"))


def test_it_begins_with_now(box: Box, mixpeek_client: Client) -> None:
    for number in range(3):
        relabel(box, number, "before we listened")
    for event_type in ("annotation.created", "annotation.updated", "annotation.deleted"):
        FeedCursor.objects.create(
            event_type=event_type, since=timezone.now() + timedelta(minutes=6)
        )
    assert feed.poll(mixpeek_client) == 3
    assert heard() == set()
    FeedCursor.objects.update(since=timezone.now())
    relabel(box, 1, "since then")
    feed.poll(mixpeek_client)
    assert heard() == {"ann_00001"}


def test_it_hears_of_created_updated_and_deleted(
    box: Box, mixpeek_client: Client, mirrored: None
) -> None:
    [new] = upstream.annotate(box, 2)
    relabel(box, 0, "one")
    relabel(box, 0, "two")
    upstream.delete(box, "ann_00001")
    feed.poll(mixpeek_client)
    assert heard() == {new, "ann_00000", "ann_00001"}
    assert hints.follow(mixpeek_client) == 3
    rows = {row.annotation_id: row for row in Annotation.objects.all()}
    assert (rows["ann_00000"].label, rows["ann_00001"].status, rows[new].label) == (
        "two",
        "gone",
        "new",
    )
    feed.poll(mixpeek_client)
    assert heard() == set()


def test_it_asks_for_nothing_that_it_holds_already(
    box: Box, mixpeek_client: Client, mirrored: None
) -> None:
    relabel(box, 0, "ours")
    absorb.absorb([mixpeek_client.get_annotation("ann_00000")])
    feed.poll(mixpeek_client)
    assert heard() == set()


def test_it_goes_on_after_a_downtime(box: Box, mixpeek_client: Client, mirrored: None) -> None:
    for turn in range(4):
        for number in range(3):
            relabel(box, number, f"turn {turn}")
    feed.poll(mixpeek_client, page_size=2)
    assert heard() == {"ann_00000", "ann_00001", "ann_00002"}


def test_it_repeats_a_page_at_most_after_a_kill(
    box: Box, mixpeek_client: Client, mirrored: None
) -> None:
    for number in range(3):
        relabel(box, number, "meanwhile")
    pages = iter(range(3))

    class Dying(Client):
        def events(
            self, event_type: str, *, cursor: str | None = None, limit: int = 100
        ) -> FeedPage:
            if event_type == "annotation.updated" and next(pages) == 2:
                raise Killed
            return super().events(event_type, cursor=cursor, limit=limit)

    with (
        Dying(base_url=box.url, api_key=box.key, namespace=box.namespace) as dying,
        pytest.raises(Killed),
    ):
        feed.poll(dying, page_size=1)
    assert heard() == {"ann_00000", "ann_00001"}
    # Nobody else polls before the dead one's claim has run out.
    before = count_feed_requests(box)
    assert feed.poll(mixpeek_client, page_size=1) == 2
    FeedCursor.objects.update(due=timezone.now())
    feed.poll(mixpeek_client, page_size=1)
    assert heard() == {"ann_00000", "ann_00001", "ann_00002"}
    assert count_feed_requests(box) - before == 5


@pytest.mark.process
def test_it_remembers_a_server_without_a_feed(tmp_path: Path) -> None:
    with (
        running_sandbox(
            data=write_data_folder(tmp_path), extra_args=["--dialect", "2025-10"]
        ) as old,
        Client(base_url=old.url, api_key=old.key, namespace=old.namespace) as client,
    ):
        for _ in range(3):
            feed.poll(client)
        assert count_feed_requests(old) == 1
        FeedCursor.objects.update(due=timezone.now())
        feed.poll(client)
        assert count_feed_requests(old) == 2


def test_it_keeps_quiet_as_long_as_it_is_asked_to(box: Box, mixpeek_client: Client) -> None:
    box.faults([{"path": "/v1/events", "status": 503, "headers": {"Retry-After": "300"}}])
    assert feed.poll(mixpeek_client) == 1
    assert feed.poll(mixpeek_client) == 0
    assert count_feed_requests(box) == 1
    Quiet.objects.update(until=timezone.now())
    assert feed.poll(mixpeek_client) == 3
    assert not Quiet.objects.exists()


def test_it_begins_anew_when_its_cursor_is_known_no_more(
    box: Box, mixpeek_client: Client, mirrored: None
) -> None:
    FeedCursor.objects.filter(event_type="annotation.updated").update(cursor="from another time")
    feed.poll(mixpeek_client)
    FeedCursor.objects.update(due=timezone.now())
    relabel(box, 2, "since then")
    feed.poll(mixpeek_client)
    assert heard() == {"ann_00002"}
