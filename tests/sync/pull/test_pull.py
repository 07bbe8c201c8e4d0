"""A pull over a real socket: everything comes, once, and again changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from reviewapp.annotations.models import Annotation
from reviewapp.audit.actions import Origin
from reviewapp.audit.models import Event
from reviewapp.mixpeek.client import Client
from reviewapp.retrievers.models import Execution, Result, Retriever
from reviewapp.sync.models import PullPass
from reviewapp.sync.pull.progress_output import Log
from reviewapp.sync.pull.run import pull
from tests.sandbox_data import annotation_json, document_json, retriever_json, write_data_folder
from tests.sync import upstream
from tests.tools.sandbox.running import Box, SharedSandboxes

pytestmark = pytest.mark.django_db
FEW, MANY = 60, 1_100
# A page holds 500 rows.
over_several_pages = pytest.mark.parametrize("box", [MANY], indirect=True, ids=["several pages"])


class Hooked(Log):
    """A progress that does something after each page, and remembers what was said."""

    def __init__(self, after_page: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.after_page = after_page
        self.said: list[str] = []

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def reach(self, number: int, total: int | None) -> None:
        self.after_page()


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def box(tmp_path: Path, sandboxes: SharedSandboxes, request: pytest.FixtureRequest) -> Box:
    number = getattr(request, "param", FEW)
    folder = write_data_folder(
        tmp_path,
        retrievers=[retriever_json()],
        documents=map(document_json, range(number)),
        annotations=map(annotation_json, range(number)),
    )
    return sandboxes.namespace(folder)


@pytest.fixture
def client(box: Box) -> Iterator[Client]:
    with Client(base_url=box.url, api_key=box.key, namespace=box.namespace) as client:
        yield client


def lists_asked(box: Box) -> list[int]:
    asked = box.received(method="POST", path="/v1/annotations/list")
    return [int(parse_qs(request["query"])["skip"][0]) for request in asked]


@over_several_pages
def test_it_brings_everything(client: Client) -> None:
    summary = pull(client=client)
    assert (
        summary.stopped,
        summary.retrievers.new,
        summary.annotations.new,
        summary.documents.new,
    ) == (
        "",
        1,
        MANY,
        MANY,
    )
    assert Retriever.objects.get().name == "vans"
    assert Annotation.objects.filter(status="waiting").count() == Result.objects.count() == MANY
    shown = Annotation.objects.get(annotation_id="ann_00007")
    assert (shown.title, shown.excerpt) == ("Van 7", "A blue logo on van number 7.")
    assert not PullPass.objects.exists()


def test_it_changes_nothing_when_nothing_changed(client: Client) -> None:
    pull(client=client)
    events = Event.objects.count()
    summary = pull(client=client)
    assert (summary.annotations.new, summary.annotations.changed, summary.annotations.same) == (
        0,
        0,
        FEW,
    )
    assert (summary.retrievers.same, summary.documents.new) == (1, 0)
    assert Event.objects.count() == events


def test_it_says_that_a_pull_did_it(client: Client) -> None:
    pull(client=client)
    assert set(Event.objects.values_list("origin", "note")) == {(Origin.PULL.value, "pull")}


def test_it_sees_what_was_changed_created_and_deleted(box: Box, client: Client) -> None:
    pull(client=client)
    box.call("PATCH", "/v1/annotations/ann_00003", json={"label": "other"})
    box.call("PATCH", "/v1/retrievers/ret_vans", json={"retriever_name": "lorries"})
    [created] = upstream.annotate(box, 5)
    upstream.delete(box, "ann_00004")
    summary = pull(client=client)
    counts = summary.annotations
    assert (counts.new, counts.changed, counts.gone) == (1, 1, 1)
    assert Annotation.objects.get(annotation_id="ann_00003").label == "other"
    assert Annotation.objects.get(annotation_id="ann_00004").status == Annotation.Status.GONE
    assert Annotation.objects.get(annotation_id=created).title == "Van 5"
    assert Retriever.objects.get().name == "lorries"


@over_several_pages
def test_it_goes_on_where_a_killed_pull_was(box: Box, client: Client) -> None:
    pages = iter([None, Killed()])

    def die() -> None:
        death = next(pages)
        if death:
            raise death

    with pytest.raises(Killed):
        pull(Hooked(die), client=client)
    got = Annotation.objects.count()
    assert 0 < got < MANY
    box.clear()
    report = Hooked()
    summary = pull(report, client=client)
    assert report.said == ["Going on where the last pull stopped: annotations, 950 passed already."]
    assert lists_asked(box) == [950]
    assert (Annotation.objects.count(), summary.annotations.new) == (MANY, MANY - got)
    assert Result.objects.count() == MANY


def test_it_refuses_to_run_twice_at_a_time(client: Client) -> None:
    second: list[str] = []

    def pull_elsewhere() -> None:
        second.append(pull(client=client).stopped)
        connection.close()

    def start_another() -> None:
        if not second:
            thread = Thread(target=pull_elsewhere)
            thread.start()
            thread.join(timeout=60)

    summary = pull(Hooked(start_another), client=client)
    assert (summary.stopped, second) == ("", ["Another pull is already running. Let it finish."])


def test_it_takes_in_runs_made_elsewhere(box: Box, client: Client) -> None:
    answer = box.call(
        "POST", "/v1/retrievers/ret_vans/execute", json={"inputs": {"query": "van"}}
    ).json()
    summary = pull(client=client)
    run = Execution.objects.get()
    assert (run.execution_id, run.status, run.requested_by) == (
        answer["execution_id"],
        "completed",
        "",
    )
    assert summary.executions.new == 1
    assert pull(client=client).executions.same == 1


def test_it_marks_a_retriever_that_went_away_and_takes_it_back(box: Box, client: Client) -> None:
    pull(client=client)
    box.faults(
        [
            {"path": "/v1/retrievers/list", "status": 200, "body": {"results": [], "total": 0}},
            {"method": "GET", "path": "/v1/retrievers/ret_vans", "status": 404},
        ]
    )
    assert pull(client=client).retrievers.gone == 1
    assert Retriever.objects.get().gone_at is not None
    assert pull(client=client).retrievers.changed == 1
    assert Retriever.objects.get().gone_at is None


def test_it_counts_documents_that_are_not_there(box: Box, client: Client) -> None:
    upstream.annotate(box, FEW + 1)
    summary = pull(client=client)
    assert (summary.documents.new, summary.documents.gone) == (FEW, 1)


@over_several_pages
def test_it_prints_plain_lines_where_there_is_no_terminal(box: Box, settings: Settings) -> None:
    configure(settings, box)
    out = StringIO()
    call_command("pull", stdout=out)
    lines = out.getvalue().splitlines()
    assert "annotations: 1,100 of 1,100" in lines
    assert lines[-2:] == [
        "Annotations: 1,100 new, 0 changed, 0 as before, 0 gone.",
        "Documents: 1,100 new, 0 changed, 0 as before, 0 gone.",
    ]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"status": 503}, "The pull stopped: "),
        ({"drop": "before"}, "The pull stopped: "),
        ({"status": 200, "body": "<html>hello</html>"}, "The pull stopped: "),
        ({"status": 401}, "The pull stopped: "),
    ],
    ids=["down", "dropped", "html", "key"],
)
def test_it_stops_with_one_sentence_when_mixpeek_fails(
    box: Box, settings: Settings, fault: dict[str, object], sentence: str
) -> None:
    configure(settings, box)
    box.faults([{"path": "/v1/annotations/list", **fault}])
    said = StringIO()
    with pytest.raises(CommandError, match=sentence):
        call_command("pull", stdout=said)
    assert "stopped" not in said.getvalue()  # the command's error says it, and once is enough
    assert Retriever.objects.count() == 1
    assert PullPass.objects.get().phase == PullPass.Phase.ANNOTATIONS
    call_command("pull", stdout=StringIO())
    assert Annotation.objects.count() == FEW


def test_it_names_the_setting_that_is_missing(settings: Settings) -> None:
    settings.MIXPEEK_API_KEY = ""
    with pytest.raises(CommandError, match="Set MIXPEEK_API_KEY"):
        call_command("pull", stdout=StringIO())


def configure(settings: Settings, box: Box) -> None:
    settings.MIXPEEK_BASE_URL, settings.MIXPEEK_API_KEY = box.url, box.key
    settings.MIXPEEK_NAMESPACE = box.namespace
