"""A person downloads so many files at a time; the next download is told to wait."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connections
from django.test import Client

from reviewapp.accounts.models import User
from reviewapp.audit.presenters.file_downloads import MAX_CONCURRENT_FILES
from tests.decisions import decide
from tests.factories import make_annotation, make_export
from tests.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)
_PATIENCE = 60.0


def test_it_streams_a_few_files_of_a_person_at_a_time(alice: User, lena: User, adam: User) -> None:
    decide(make_annotation(), alice, label="dog")
    file = f"/exports/{make_export().pk}/file"
    paths = [file, "/history.csv"]
    clients = [signed_in(lena) for _ in range(MAX_CONCURRENT_FILES)]
    under_way, is_over = Barrier(MAX_CONCURRENT_FILES + 1), Event()

    def hold(client: Client, path: str) -> int:
        try:
            response = client.get(path)
            under_way.wait(_PATIENCE)
            is_over.wait(_PATIENCE)
            response.close()
            return response.status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(MAX_CONCURRENT_FILES) as pool:
        held: list[Future[int]] = []
        for client, path in zip(clients, paths, strict=True):
            held.append(pool.submit(hold, client, path))
        try:
            under_way.wait(_PATIENCE)
            refused = [signed_in(lena).get(path) for path in paths]
            others = signed_in(adam).get(file)
            others.close()
        finally:
            is_over.set()
        assert [future.result(_PATIENCE) for future in held] == [200, 200]

    assert [response.status_code for response in refused] == [429, 429]
    assert int(refused[0]["Retry-After"]) >= 1
    assert "You are downloading 2 files already." in refused[0].text
    assert others.status_code == 200
    again = signed_in(lena).get(file)
    again.close()
    assert again.status_code == 200
