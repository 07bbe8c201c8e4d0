"""State survives: a restart, a kill, a change of the data folder; and the ways a start can fail."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.operations.processes import run_command
from tests.sandbox_data import (
    fruit_annotation_json,
    fruit_document_json,
    write_data_folder,
    write_fruit_folder,
    write_lines,
)
from tests.tools.sandbox.running import running_sandbox, sandbox_command
from tools.sandbox.data_folder.import_data import describe_data, load
from tools.sandbox.errors import BadData
from tools.sandbox.store import Store

pytestmark = pytest.mark.process


def test_it_loses_no_answered_write_to_a_kill(tmp_path: Path) -> None:
    data, state = write_fruit_folder(tmp_path / "data"), tmp_path / "state.db"
    with running_sandbox(data, state) as box:
        for number in range(5):
            box.call("PATCH", "/v1/annotations/ann_1", json={"label": f"label {number}"})
        box.call("DELETE", "/v1/annotations/ann_2")
        box.call("PATCH", "/v1/retrievers/all", json={"retriever_name": "everything"})
        link = box.call("GET", "/v1/documents/doc_30?return_presigned_urls=true").json()
        box.kill()
    with running_sandbox(data, state) as box:
        annotation = box.call("GET", "/v1/annotations/ann_1").json()
        assert (annotation["label"], annotation["version"]) == ("label 4", 6)
        assert box.call("GET", "/v1/annotations/ann_2").status_code == 404
        assert box.call("GET", "/v1/retrievers/everything").json()["version"] == 2
        query = link["document_blobs"][0]["presigned_url"].partition("/media/")[2]
        assert box.call("GET", f"/media/{query}").status_code == 200


def test_it_adds_new_rows_and_keeps_its_own(tmp_path: Path) -> None:
    data, state = write_fruit_folder(tmp_path / "data"), tmp_path / "state.db"
    with running_sandbox(data, state) as box:
        box.call("PATCH", "/v1/annotations/ann_1", json={"label": "mine"})
        box.call("DELETE", "/v1/annotations/ann_2")
    write_lines(
        data / "annotations.jsonl",
        [{**fruit_annotation_json(number), "label": "theirs"} for number in range(12)],
    )
    with running_sandbox(data, state) as box:
        labels = [
            box.call("GET", f"/v1/annotations/ann_{number}").json().get("label")
            for number in (0, 1, 2, 11)
        ]
    assert labels == ["ripe", "mine", None, "theirs"]


def _refused(*arguments: str) -> str:
    done = run_command(list(arguments), timeout=300)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("name", "line", "why"),
    [
        ("documents.jsonl", "{", "is not JSON"),
        ("documents.jsonl", "[]", "is not a JSON object"),
        ("documents.jsonl", '{"title": "x"}', "document_id: Field required"),
        ("documents.jsonl", '{"document_id": "doc_0"}', "the id 'doc_0' stands in line 1 already"),
        ("documents.jsonl", '{"document_id": "d", "title": "\\ud800"}', "half of a surrogate pair"),
        (
            "annotations.jsonl",
            '{"annotation_id": "a", "document_id": "d", "label": ""}',
            "label: String should have",
        ),
        (
            "annotations.jsonl",
            '{"annotation_id": "a", "document_id": "d", "label": "x", "confidence": NaN}',
            "NaN",
        ),
        (
            "retrievers.jsonl",
            '{"retriever_id": "r", "retriever_name": "r", "stages": []}',
            "stages: List should",
        ),
    ],
)
def test_it_names_a_bad_line(tmp_path: Path, name: str, line: str, why: str) -> None:
    data = write_fruit_folder(tmp_path)
    path = data / name
    count = len(path.read_text().splitlines())
    with path.open("a") as file:
        file.write(f"{line}\n")
    with closing(Store(None)) as store, pytest.raises(BadData) as refusal:
        load(store, data, "ns_sample")
    message = str(refusal.value)
    assert message.startswith(f"{name}:{count + 1}: ")
    assert why in message


def test_it_loads_nothing_of_a_bad_folder(tmp_path: Path) -> None:
    data, state = write_fruit_folder(tmp_path / "data"), tmp_path / "state.db"
    good = (data / "annotations.jsonl").read_text()
    (data / "annotations.jsonl").write_text(f"{good}oops\n")
    assert _refused(*sandbox_command(data, state)).startswith("annotations.jsonl:")
    write_lines(data / "documents.jsonl", [fruit_document_json(5)])
    (data / "annotations.jsonl").write_text(good)
    with running_sandbox(data, state) as box:
        assert box.call("GET", "/v1/documents/doc_6").status_code == 404


def test_it_says_what_is_wrong_with_its_arguments(tmp_path: Path) -> None:
    assert "no data folder" in _refused(*sandbox_command(tmp_path / "nowhere", None))
    (tmp_path / "empty").mkdir()
    assert "holds none of" in _refused(*sandbox_command(tmp_path / "empty", None))
    (tmp_path / "state.db").write_text(
        "not a database, just a text that is long enough to be looked at",
    )
    assert "as the state file" in _refused(
        *sandbox_command(write_fruit_folder(tmp_path / "data"), tmp_path / "state.db")
    )
    assert "--port" in _refused(*sandbox_command(None, None), "--port", "eighty")


def test_it_names_a_busy_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        message = _refused(*sandbox_command(write_fruit_folder(tmp_path), None), "--port", port)
    assert len(message.splitlines()) == 1
    assert port in message


def test_it_ends_well_when_told_to(tmp_path: Path) -> None:
    with running_sandbox(write_fruit_folder(tmp_path)) as box:
        assert box.stop() == 0


@pytest.mark.parametrize(
    "row",
    [
        {"document_id": "d", "payload": {"colour": "red", "price": 1}},
        {
            "document_id": "d",
            "content": "a hat",
            "metadata": {"colour": "red", "price": 1},
            "features": {},
        },
        {
            "document_id": "d",
            "colour": "red",
            "price": 1,
            "_internal": {"namespace_id": "ns_sample"},
        },
    ],
)
def test_it_takes_documents_in_every_form(tmp_path: Path, row: dict[str, object]) -> None:
    data = write_fruit_folder(tmp_path, documents=[row])
    with (data / "retrievers.jsonl").open("a") as file:
        config = {
            "stage_name": "attribute_filter",
            "parameters": {"field": "colour", "operator": "eq", "value": "red"},
        }
        older = {
            "pipeline_id": "ret_form",
            "name": "form",
            "stages": [{"name": "only", "config": config}],
        }
        file.write(f"{json.dumps(older)}\n")
    with running_sandbox(data) as box:
        reply = box.call("POST", "/v1/retrievers/form/execute", json={}).json()
        assert [document["document_id"] for document in reply["documents"]] == ["d"]
        assert box.call(
            "POST",
            "/v1/retrievers/search/execute",
            json={"inputs": {"query": "red"}},
        ).json()["documents"]


@pytest.mark.parametrize(
    "carried", [{"namespace_id": "ns_x"}, {"_internal": {"namespace_id": "ns_x"}}]
)
def test_it_puts_rows_into_the_namespace_that_others_carry(
    carried: dict[str, Any], tmp_path: Path
) -> None:
    documents = [fruit_document_json(0) | carried, fruit_document_json(1)]
    data = write_fruit_folder(tmp_path / "data", documents=documents)
    store = Store(None)
    load(store, data)
    described = describe_data(store)
    assert described["namespace"] == "ns_x"
    assert set(described["rows"]) == {"ns_x"}
    store.close()


def test_it_counts_the_rows_of_each_namespace(tmp_path: Path) -> None:
    documents = [fruit_document_json(n) | {"namespace_id": f"ns_{n % 3}"} for n in (1, 2, 4)]
    data = write_data_folder(tmp_path, documents=documents)
    store = Store(None)
    load(store, data)
    assert describe_data(store) == {"namespace": "ns_1", "rows": {"ns_1": 2, "ns_2": 1}}
    load(store, data)
    assert describe_data(store)["rows"] == {"ns_1": 2, "ns_2": 1}
    store.close()


def test_it_has_a_default_namespace_for_rows_that_carry_none(tmp_path: Path) -> None:
    store = Store(None)
    load(store, write_fruit_folder(tmp_path / "data"))
    assert describe_data(store)["namespace"] == "ns_sample"
    store.close()
