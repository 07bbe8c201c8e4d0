"""From a page of ours to a document's file upstream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from reviewapp.accounts.models import User
from reviewapp.retrievers.documents.media import files
from reviewapp.sync.interactive_limits import ShareSpent, interactive_requests, requests_per_person
from reviewapp.sync.media import links
from reviewapp.web.media_url import media_url
from tests.factories import make_annotation, make_result
from tests.sandbox_data import document_json, retriever_json, write_data_folder
from tests.tools.sandbox.running import Box, running_sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.process]


def blob(name: str, **values: str) -> dict[str, str]:
    return {"field": name, "url": f"media/{name}", "type": "image", **values}


PICTURE, LOST, SECRET = (
    blob("a.png"),
    blob("lost.png"),
    blob("b.png", unavailable_reason="Deleted by its owner"),
)
ELSEWHERE, STORED = (
    blob("c.png", url="https://evil.example/c.png"),
    blob("d.png", url="s3://bucket/d.png"),
)
DOCUMENT = document_json(1, document_blobs=[PICTURE, LOST, SECRET, ELSEWHERE, STORED])
FILES = {
    "real.pdf": b"%PDF-1.7 ...",
    "page.pdf": b"<script>top.location = 'https://evil.example'</script>",
    "page.html": b"<script>1</script>",
    "marked.html": b"%PDF-1.7 <script>1</script>",
    "empty.pdf": b"",
}
OF_PAPERS = document_json(
    4,
    document_blobs=[
        *(blob(name, type="pdf") for name in FILES),
        blob("away", url="http://127.0.0.1:9/a.pdf", type="pdf"),
    ],
)
PAPERS = {file.field: file.index for file in files(OF_PAPERS)}
DOCUMENT_IDS = (
    "doc_00001", "a/b c", "a/../doc_00003", "doc_00003", "doc_00004", "doc_99999",
)  # fmt: skip
INDEX = {file.field: file.index for file in files(DOCUMENT)}


@pytest.fixture(scope="module")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    folder = tmp_path_factory.mktemp("media_box")
    slashed = document_json(2, document_id="a/b c", document_blobs=[PICTURE])
    dotted = document_json(5, document_id="a/../doc_00003", document_blobs=[PICTURE])
    bare = document_json(3)
    write_data_folder(
        folder,
        retrievers=[retriever_json()],
        documents=[DOCUMENT, slashed, dotted, bare, OF_PAPERS],
    )
    (folder / "media").mkdir()
    for name, content in FILES.items():
        (folder / "media" / name).write_bytes(content)
    (folder / "media" / "a.png").write_bytes(b"picture")
    with running_sandbox(data=folder) as box:
        yield box


@pytest.fixture
def box(shared_box: Box, settings: Settings, db: None) -> Box:
    shared_box.clear()
    settings.MIXPEEK_BASE_URL, settings.MIXPEEK_API_KEY = shared_box.url, shared_box.key
    settings.MIXPEEK_NAMESPACE, settings.MEDIA_HOSTS = shared_box.namespace, [shared_box.url]
    links.clear_cache()
    for document_id in DOCUMENT_IDS:
        make_result(document_id=document_id)
    return shared_box


def ask(reader: Client, field: str, document_id: str = "doc_00001") -> Any:
    return reader.get(media_url(document_id, INDEX.get(field, 1)))


def test_it_redirects_to_a_link_that_works(box: Box, alice_client: Client) -> None:
    reply = ask(alice_client, "a.png")
    assert reply.status_code == 302
    assert reply["Cache-Control"] == "private, no-store"
    with box.session.get(reply["Location"], timeout=60) as file:
        assert file.content == b"picture"


def test_it_asks_mixpeek_once_for_many_looks(box: Box, alice_client: Client) -> None:
    for _ in range(3):
        ask(alice_client, "a.png")
    assert len(box.received(path="/v1/documents/batch-get")) == 1


def test_it_finds_documents_with_any_id(box: Box, alice_client: Client) -> None:
    assert ask(alice_client, "a.png", "a/b c").status_code == 302
    assert ask(alice_client, "a.png", "a/../doc_00003").status_code == 302


@pytest.mark.parametrize(
    ("field", "document_id", "status", "sentence"),
    [
        ("lost.png", "doc_00001", 404, "The file is not in storage"),
        ("b.png", "doc_00001", 404, "Deleted by its owner"),
        ("c.png", "doc_00001", 403, "evil.example"),
        ("d.png", "doc_00001", 404, "gave no link"),
        ("never.png", "doc_00001", 404, "no longer has this file"),
        ("a.png", "doc_99999", 404, "no longer has this document"),
    ],
)
def test_it_says_why_there_is_no_link(
    box: Box, alice_client: Client, field: str, document_id: str, status: int, sentence: str
) -> None:
    reply = ask(alice_client, field, document_id)
    assert reply.status_code == status
    assert sentence in reply.content.decode()


@pytest.mark.parametrize(
    ("field", "document_id", "sentence"),
    [
        ("a.png", "doc_00001", "The picture is damaged, or in a format that this browser does not"),
        ("lost.png", "doc_00001", "The file is not in storage"),
        (
            "c.png",
            "doc_00001",
            "evil.example are not shown, because the setting MEDIA_HOSTS does not",
        ),
        ("a.png", "doc_99999", "Mixpeek no longer has this document."),
    ],
)
def test_it_says_why_a_browser_does_not_show_a_file(
    box: Box, alice_client: Client, field: str, document_id: str, sentence: str
) -> None:
    address = reverse("media", args=[document_id, INDEX[field]])
    reply = alice_client.get(address, {"why": "yes"})
    assert reply.status_code == 200
    assert sentence in reply.content.decode()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("page.pdf", "This file is not a PDF, although it says so"),
        ("real.pdf", "The PDF is damaged, or in a format that this browser does not show."),
        ("away", "The file cannot be shown now: its host did not answer"),
    ],
)
def test_it_says_why_a_browser_does_not_show_a_pdf(
    box: Box, alice_client: Client, settings: Settings, name: str, sentence: str
) -> None:
    if name == "away":
        settings.MEDIA_HOSTS = [*settings.MEDIA_HOSTS, "http://127.0.0.1:9"]
    address = reverse("media", args=["doc_00004", PAPERS[name]])
    reply = alice_client.get(address, {"as": "pdf", "why": "yes"})
    assert sentence in reply.content.decode()


def test_it_gets_a_new_link_for_one_that_its_host_refused(box: Box, alice_client: Client) -> None:
    ask(alice_client, "a.png")
    box.faults([{"path": "/media/a.png", "status": 403}])
    address = reverse("media", args=["doc_00001", INDEX["a.png"]])
    reply = alice_client.get(address, {"why": "yes"})
    assert reply.content.decode().startswith("Its link has expired, or its host refuses it")
    asked = len(box.received(path="/v1/documents/batch-get"))
    assert ask(alice_client, "a.png").status_code == 302
    assert len(box.received(path="/v1/documents/batch-get")) == asked + 1


def test_it_says_that_mixpeek_is_down_and_asks_again_next_time(
    box: Box, alice_client: Client
) -> None:
    box.faults([{"path": "/v1/documents/batch-get", "status": 503}])
    assert ask(alice_client, "a.png").status_code == 502
    assert ask(alice_client, "a.png").status_code == 302


@pytest.mark.parametrize("document_id", ["doc_77777", "nul%00", "x" * 3000])
def test_it_asks_nobody_for_a_document_that_is_not_mirrored(
    box: Box, alice_client: Client, document_id: str
) -> None:
    reply = alice_client.get(f"/documents/{document_id}/media/1")
    assert reply.status_code == 404
    assert "This document does not exist here." in reply.content.decode()
    assert not box.received(path="/v1/documents")


def test_it_asks_for_a_document_that_only_an_annotation_is_about(
    box: Box, alice_client: Client
) -> None:
    make_annotation(document_id="doc_55555", result=None)
    assert ask(alice_client, "a.png", "doc_55555").status_code == 404
    assert len(box.received(path="/v1/documents/batch-get")) == 1


def test_it_remembers_for_a_while_that_a_document_is_gone(box: Box, alice_client: Client) -> None:
    for index in range(5):
        assert alice_client.get(reverse("media", args=["doc_99999", index])).status_code == 404
    assert len(box.received(path="/v1/documents/batch-get")) == 1


def test_it_asks_once_for_a_document_without_files(box: Box, alice_client: Client) -> None:
    for _ in range(3):
        assert alice_client.get(reverse("media", args=["doc_00003", 1])).status_code == 404
    assert len(box.received(path="/v1/documents/batch-get")) == 1


def test_it_gives_each_person_a_share_of_their_own(
    box: Box, alice: User, alice_client: Client, lena_client: Client, settings: Settings
) -> None:
    settings.MIXPEEK_REQUESTS_PER_MINUTE = 600
    with pytest.raises(ShareSpent):
        # Twice the share and one more: the minute may turn meanwhile.
        for _ in range(2 * requests_per_person() + 1):
            with interactive_requests(alice):
                pass

    reply = ask(alice_client, "a.png")
    if reply.status_code != 302:
        assert reply.status_code == 429
        assert 0 < int(reply["Retry-After"]) <= 60
        assert "which is the limit" in reply.content.decode()
        assert not box.received(path="/v1/documents")
    assert ask(lena_client, "a.png").status_code == 302


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("real.pdf", 302),
        ("page.pdf", 415),
        ("page.html", 415),
        ("marked.html", 415),
        ("empty.pdf", 415),
    ],
)
def test_it_frames_only_what_is_a_pdf_by_its_content(
    box: Box, alice_client: Client, field: str, status: int
) -> None:
    address = reverse("media", args=["doc_00004", PAPERS[field]])
    reply = alice_client.get(f"{address}?as=pdf")
    assert reply.status_code == status
    if status == 415:
        assert "This file is not a PDF" in reply.content.decode()


def test_it_frames_nothing_whose_host_is_away(
    box: Box, alice_client: Client, settings: Settings
) -> None:
    settings.MEDIA_HOSTS = ["http://127.0.0.1:9"]
    reply = alice_client.get(reverse("media", args=["doc_00004", PAPERS["away"]]) + "?as=pdf")
    assert reply.status_code == 502
    assert "its host did not answer" in reply.content.decode()


def test_it_frames_nothing_of_a_host_that_is_not_listed(
    box: Box, alice_client: Client, settings: Settings
) -> None:
    settings.MEDIA_HOSTS = ["https://files.example"]
    reply = alice_client.get(reverse("media", args=["doc_00004", PAPERS["real.pdf"]]) + "?as=pdf")
    assert reply.status_code == 403


def test_it_gives_nothing_to_people_without_a_role_or_strangers(
    box: Box, client: Client, stranger: User
) -> None:
    assert client.get(reverse("media", args=["doc_00001", INDEX["a.png"]])).status_code == 302
    assert not box.received(path="/v1/documents")
    client.force_login(stranger)
    assert ask(client, "a.png").status_code == 403
    assert client.post(reverse("media", args=["doc_00001", 1])).status_code in {403, 405}


@pytest.mark.parametrize(
    ("url", "pattern", "fits"),
    [
        ("https://b.s3.amazonaws.com/a?x", "https://*.amazonaws.com", True),
        ("https://amazonaws.com/a", "https://*.amazonaws.com", False),
        ("https://evilamazonaws.com/a", "https://*.amazonaws.com", False),
        ("https://b.amazonaws.com.evil.example/a", "https://*.amazonaws.com", False),
        ("http://b.amazonaws.com/a", "https://*.amazonaws.com", False),
        ("https://b.amazonaws.com/a", "*.amazonaws.com", True),
        ("https://b.amazonaws.com:8443/a", "https://*.amazonaws.com", False),
        ("https://b.amazonaws.com:8443/a", "https://*.amazonaws.com:*", True),
        ("http://127.0.0.1:8951/a", "http://127.0.0.1:8951", True),
        ("http://127.0.0.1:8952/a", "http://127.0.0.1:8951", False),
        ("https://b.amazonaws.com@evil.example/a", "https://*.amazonaws.com", False),
        ("https://evil.example\\.amazonaws.com/a", "https://*.amazonaws.com", False),
        ("https://evil.example/a", "https://*", True),
        ("https://evil.example/a", "'self'", False),
        ("https://B.AmazonAWS.com./a", "https://*.amazonaws.com", True),
        ("javascript:alert(1)", "https://*", False),
        ("https://s3.amazonaws.com/ours/a.png?x", "https://s3.amazonaws.com/ours/", True),
        ("https://s3.amazonaws.com/ours/a.png", "https://s3.amazonaws.com/ours", True),
        ("https://s3.amazonaws.com/Ours/a.png", "https://s3.amazonaws.com/ours/", False),
        ("https://s3.amazonaws.com/ours-too/a.png", "https://s3.amazonaws.com/ours", False),
        ("https://s3.amazonaws.com/theirs/a.png?/ours/", "https://s3.amazonaws.com/ours/", False),
        ("https://s3.amazonaws.com/ours/../theirs/a.png", "https://s3.amazonaws.com/ours/", False),
        (
            "https://s3.amazonaws.com/ours/%2e%2E/theirs/a.png",
            "https://s3.amazonaws.com/ours/",
            False,
        ),
        (
            "https://s3.amazonaws.com/ours/..%2ftheirs/a.png",
            "https://s3.amazonaws.com/ours/",
            False,
        ),
        ("https://s3.amazonaws.com/a.png", "https://s3.amazonaws.com/", True),
        ("https://[::1", "https://*", False),
    ],
)
def test_it_lets_only_listed_hosts_through(url: str, pattern: str, fits: bool) -> None:
    assert links.is_allowed(url, [pattern]) is fits


@given(st.text(max_size=40))
def test_it_lets_no_other_host_through_however_it_is_written(text: str) -> None:
    url = f"https://{text}"
    if links.is_allowed(url, ["https://*.example.com"]):
        assert (urlsplit(url).hostname or "").rstrip(".").endswith(".example.com")


@given(st.text(st.sampled_from("aE.:/@\\?#%1-[] "), max_size=12))
def test_it_lets_no_trick_before_the_host_through(trick: str) -> None:
    url = f"https://evil.org{trick}.example.com"
    if links.is_allowed(url, ["https://*.example.com"]):
        assert (urlsplit(url).hostname or "").rstrip(".").endswith(".example.com")
        assert not set(trick) & set("@\\/?#")
