"""One sandbox process of each dialect, shared by these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox_data import write_fruit_folder
from tests.tools.sandbox.running import Box, running_sandbox
from tools.sandbox.dialect import OLD


@pytest.fixture(scope="session")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Start the sandbox every test shares."""
    with running_sandbox(write_fruit_folder(tmp_path_factory.mktemp("current") / "data")) as box:
        yield box


@pytest.fixture(scope="session")
def shared_old_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Start the sandbox of the older dialect."""
    folder = write_fruit_folder(tmp_path_factory.mktemp("old") / "data")
    with running_sandbox(folder, extra_args=["--dialect", OLD]) as box:
        yield box


@pytest.fixture
def box(shared_box: Box) -> Box:
    """Return the shared sandbox without faults and without memory of earlier requests."""
    shared_box.clear()
    return shared_box


@pytest.fixture
def old_box(shared_old_box: Box) -> Box:
    """Return the older dialect's sandbox likewise."""
    shared_old_box.clear()
    return shared_old_box


@pytest.fixture
def annotation_id(box: Box) -> str:
    """Create an annotation that no other test touches."""
    created = box.call(
        "POST",
        "/v1/annotations",
        json={"document_id": "doc_1", "label": "unripe", "confidence": 0.5},
    )
    assert created.status_code == 200, created.text
    return str(created.json()["annotation_id"])
