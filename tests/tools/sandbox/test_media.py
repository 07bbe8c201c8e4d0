"""Media: signed links, ranges, and what S3 says when a link is no good."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from tests.sandbox_data import write_fruit_folder
from tests.tools.sandbox.running import Box, running_sandbox

TONE = bytes(range(100))


def _link(box: Box) -> str:
    reply = box.call("GET", "/v1/documents/doc_30?return_presigned_urls=true")
    return str(reply.json()["document_blobs"][0]["presigned_url"])


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("", 200, TONE),
        ("bytes=0-9", 206, TONE[:10]),
        ("bytes=90-", 206, TONE[90:]),
        ("bytes=-5", 206, TONE[-5:]),
        ("bytes=5-500", 206, TONE[5:]),
    ],
)
def test_it_serves_ranges(box: Box, asked: str, status: int, body: bytes) -> None:
    reply = requests.get(_link(box), headers={"Range": asked} if asked else {}, timeout=60)
    assert (reply.status_code, reply.content) == (status, body)
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["content-type"] in {"audio/x-wav", "audio/wav"}
    assert "x-frame-options" not in reply.headers


def test_it_refuses_a_range_behind_the_end(box: Box) -> None:
    reply = requests.get(_link(box), headers={"Range": "bytes=100-"}, timeout=60)
    assert (reply.status_code, reply.headers["content-range"]) == (416, "bytes */100")


def test_it_answers_head(box: Box) -> None:
    reply = requests.head(_link(box), timeout=60)
    assert (reply.status_code, reply.headers["content-length"], reply.content) == (200, "100", b"")


def test_it_refuses_a_link_it_did_not_make(box: Box) -> None:
    link = _link(box)
    assert requests.get(link.partition("?")[0], timeout=60).status_code == 403
    forged = requests.get(link.replace("tone.wav", "../documents.jsonl"), timeout=60)
    assert forged.status_code in {403, 404}
    bent = requests.get(link[:-1] + ("0" if link[-1] != "0" else "1"), timeout=60)
    assert (bent.status_code, bent.headers["content-type"]) == (403, "application/xml")
    assert "<Code>SignatureDoesNotMatch</Code>" in bent.text


@pytest.mark.process
def test_it_lets_links_expire(tmp_path: Path) -> None:
    with running_sandbox(
        write_fruit_folder(tmp_path),
        extra_args=["--media-lifetime", "0"],
    ) as brief:
        link = _link(brief)
        while (reply := requests.get(link, timeout=60)).status_code == 200:
            continue
    assert reply.status_code == 403
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in reply.text
