"""The sandbox processes that all tests of one test process share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox_data import write_data_folder
from tests.tools.sandbox.running import SharedSandboxes


@pytest.fixture(scope="session")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedSandboxes]:
    """Give each caller a namespace of its own in a sandbox process that is started once."""
    empty = write_data_folder(tmp_path_factory.mktemp("empty"))
    shared = SharedSandboxes(empty)
    yield shared
    shared.stop()
