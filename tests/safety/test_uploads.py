"""No page accepts a file or a body larger than a form can be."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from pytest_django import Settings

from reviewapp.annotations.models import Decision
from tests.collapsed import collapsed
from tests.decisions import post_decision
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db

# Some are for strangers, some for people.
DOORS = [
    "/accounts/login/",
    "/accounts/password/reset/",
    "/preferences",
    "/annotations/1/decide",
    "/nowhere",
    "/people",
]
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    """Where Django would put files."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return tmp_path


@pytest.fixture(params=["a stranger", "a person"])
def sender(request: pytest.FixtureRequest, alice_client: Client) -> Client:
    return alice_client if request.param == "a person" else Client()


@pytest.mark.parametrize("door", DOORS)
def test_it_refuses_a_body_by_its_length_alone(sender: Client, folder: Path, door: str) -> None:
    files = {"file": SimpleUploadedFile("large.bin", b"x" * 3 * MIB)}
    answer = sender.post(door, files)
    assert answer.status_code == 413
    assert "The form is too large" in collapsed(answer)
    assert not list(folder.iterdir())


def test_it_reads_nothing_of_a_body_that_announces_too_much(client: Client) -> None:
    answer = client.post("/accounts/login/", {"login": "carol"}, CONTENT_LENGTH=str(MIB + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("door", ["/accounts/login/", "/accounts/password/reset/"])
def test_it_refuses_a_small_file_too(sender: Client, folder: Path, door: str) -> None:
    answer = sender.post(door, {"login": "carol", "file": SimpleUploadedFile("small.txt", b"x")})
    assert answer.status_code == 400
    assert "which no page here accepts" in collapsed(answer)
    assert not list(folder.iterdir())


def test_it_refuses_a_file_beside_a_decision(alice_client: Client) -> None:
    annotation = make_annotation()
    answer = post_decision(alice_client, annotation, file=SimpleUploadedFile("small.txt", b"x"))
    assert answer.status_code == 400
    assert not Decision.objects.exists()


def test_it_takes_a_form_in_parts_without_a_file(alice_client: Client) -> None:
    answer = alice_client.post(
        "/preferences/theme", {"theme": "dark"}, content_type=MULTIPART_CONTENT
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/preferences")


@pytest.mark.parametrize("path", ["/api/v1/annotations", "/v1/annotations", "/webhooks/mixpeek"])
def test_it_refuses_a_large_body_of_a_script_in_its_own_words(client: Client, path: str) -> None:
    answer = client.post(path, b"x" * (MIB + 1), content_type="application/json")
    assert answer.status_code == 413
    if not path.startswith("/webhooks"):
        assert answer.json()["error"]["message"] == "The body is larger than 1 MiB."


@pytest.mark.parametrize("length", ["", "-1", "x", "٣", "1_0"])
def test_it_does_not_fail_at_a_length_that_is_no_number(client: Client, length: str) -> None:
    assert client.post("/accounts/login/", CONTENT_LENGTH=length).status_code in {400, 422}
