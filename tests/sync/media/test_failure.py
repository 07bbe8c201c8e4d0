"""Each reason why a file is not shown has a sentence of its own, which says what helps."""

from __future__ import annotations

import pytest

from reviewapp.sync.media.failure import describe_failure
from reviewapp.sync.media.file_start import FileStart

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "Its link has expired, or its host refuses it (status 401). Load it again"),
        (403, "Its link has expired, or its host refuses it (status 403). Load it again"),
        (404, "Its host does not have the file any more (status 404)."),
        (410, "Its host does not have the file any more (status 410)."),
        (416, "The file is empty."),
        (429, "Its host cannot serve it now (status 429). Load it again in a moment."),
        (500, "Its host cannot serve it now (status 500). Load it again in a moment."),
        (503, "Its host cannot serve it now (status 503). Load it again in a moment."),
        (302, "Its host answered with status 302 instead of the file."),
        (400, "Its host answered with status 400 instead of the file."),
        (204, "Its host answered with status 204 instead of the file."),
    ],
)
@pytest.mark.parametrize("kind", ["image", "video", "audio", "pdf", "file"])
def test_it_explains_the_answer_of_the_host(kind: str, status: int, words: str) -> None:
    assert describe_failure(kind, FileStart(status=status)).startswith(words)


@pytest.mark.parametrize("status", [200, 206])
@pytest.mark.parametrize(
    ("kind", "content_type", "content", "words"),
    [
        ("image", "image/heic", b"anything", "It is a picture in the format HEIC, which this"),
        ("image", "image/heif", HEIC, "It is a picture in the format HEIC, which this browser"),
        # Hosts often call it something else.
        ("image", "image/jpeg", HEIC, "It is a picture in the format HEIC, which this browser"),
        ("image", "application/octet-stream", HEIC, "It is a picture in the format HEIC"),
        ("image", "image/tiff", b"x", "It is a picture in the format TIFF"),
        ("image", "", b"II*\0x", "It is a picture in the format TIFF"),
        ("image", "", b"MM\0*x", "It is a picture in the format TIFF"),
        ("video", "video/x-msvideo", b"RIFF", "It is a video in the format AVI"),
        ("audio", "audio/x-ms-wma", b"x", "It is a recording in the format WMA"),
        ("image", "text/html", b"<html>", "Its host sends text/html instead of a picture."),
        ("video", "application/json", b"{}", "Its host sends application/json instead of a video."),
        ("audio", "text/plain", b"x", "Its host sends text/plain instead of a recording."),
        ("image", "image/png", b"", "The file is empty."),
        ("image", "image/png", PNG, "The picture is damaged, or in a format that this browser"),
        ("image", "", PNG, "The picture is damaged, or in a format that this browser"),
        ("video", "video/mp4", MP4, "The video is damaged, or in a format that this browser"),
        ("video", "binary/octet-stream", MP4, "The video is damaged, or in a format that this"),
        ("pdf", "application/pdf", b"%PDF-1.7", "The PDF is damaged, or in a format that this"),
        ("file", "text/html", b"<html>", "The file is damaged, or in a format that this browser"),
    ],
)
def test_it_explains_the_content(
    kind: str, content_type: str, content: bytes, words: str, status: int
) -> None:
    start = FileStart(status=status, content_type=content_type, content=content)
    assert describe_failure(kind, start).startswith(words)
