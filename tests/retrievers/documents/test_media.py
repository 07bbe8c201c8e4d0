"""Which file of a document is shown."""

from __future__ import annotations

from typing import Any

import pytest

from reviewapp.retrievers.documents.media import Medium, files, media


def blob(role: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "field": "file",
        "role": role,
        "url": f"s3://bucket/{role}/{name}",
        "type": "image",
        **more,
    }


def media_of(*blobs: dict[str, Any], **fields: Any) -> list[Medium]:
    return media({"document_id": "d", "document_blobs": list(blobs), **fields})


def test_it_shows_an_image_by_its_thumbnail_with_the_source_behind_it() -> None:
    source, small = blob("source", "a.png"), blob("thumbnail", "a.png")
    [medium] = media_of(source, small)
    by_index = {file.index: file.role for file in files({"document_blobs": [source, small]})}
    assert (by_index[medium.index], by_index[medium.full or 0]) == ("thumbnail", "source")


def test_it_shows_a_film_by_its_processed_file_with_the_thumbnail_as_poster() -> None:
    blobs = [
        blob("source", "a.mp4", type="video"),
        blob("processed", "a.mp4", type="video"),
        blob("thumbnail", "a.jpg"),
    ]
    [medium] = media_of(*blobs, start_time=3, end_time=5.5)
    by_index = {file.index: file.role for file in files({"document_blobs": blobs})}
    assert (medium.kind, by_index[medium.index], by_index[medium.poster or 0]) == (
        "video",
        "processed",
        "thumbnail",
    )
    assert (medium.start, medium.end) == (None, None)


def test_it_knows_the_segment_of_a_source() -> None:
    [medium] = media_of(
        blob("source", "a.mp3", type="audio"),
        _internal={"metadata": {"start_time": 3, "end_time": 5.5}},
    )
    assert (medium.kind, medium.mime, medium.start, medium.end) == ("audio", "audio/mpeg", 3.0, 5.5)


@pytest.mark.parametrize("start", [10**400, float("nan"), float("inf"), True, "12", [1], {}])
def test_it_knows_no_segment_where_a_time_is_no_number(start: Any) -> None:
    document = {"video_url": "https://files.example.com/a.mp4", "start_time": start}
    (film,) = media(document)
    assert film.start is None


def test_it_says_why_a_file_is_unavailable() -> None:
    [medium] = media_of(blob("source", "a.png", unavailable_reason="Deleted by its owner"))
    assert medium.unavailable_reason == "Deleted by its owner"


def test_it_prefers_what_is_available() -> None:
    source = blob("source", "a.png")
    [medium] = media_of(source, blob("thumbnail", "a.png", unavailable_reason="lost"))
    assert medium.index == medium.full == next(files({"document_blobs": [source]})).index


@pytest.mark.parametrize(
    "document",
    [
        {"source_blobs": [blob("source", "a.pdf", type="pdf")]},
        {"_internal": {"source_blobs": [blob("source", "a.pdf", type="pdf")]}},
        {
            "payload": {
                "document_blobs": [
                    blob("source", "a.pdf", type="other", content_type="application/pdf")
                ]
            }
        },
    ],
)
def test_it_finds_files_wherever_servers_keep_them(document: dict[str, Any]) -> None:
    assert [medium.kind for medium in media(document)] == ["pdf"]


def test_it_shows_a_file_that_stands_in_two_places_once() -> None:
    first = blob("source", "a.png")
    assert len(media({"document_blobs": [first], "_internal": {"source_blobs": [first]}})) == 1


def test_it_keeps_an_index_when_files_are_added_moved_or_presigned() -> None:
    first, other = blob("source", "a.png"), {**blob("source", "b.png"), "field": "other"}
    [before] = media({"document_blobs": [first]})
    after = media(
        {
            "_internal": {
                "document_blobs": [other, {**first, "presigned_url": "https://h/a.png?Signature=x"}]
            }
        }
    )
    assert before.index in [medium.index for medium in after]


def test_it_takes_fields_that_hold_the_address_of_a_medium() -> None:
    [medium] = media(
        {"metadata": {"thumbnail_url": "https://h/a.webp?w=3", "page_url": "https://h/a.html"}}
    )
    assert (medium.kind, medium.name) == ("image", "a.webp")


def test_it_finds_the_index_of_a_field_again_when_its_address_was_presigned() -> None:
    [stored] = media({"thumbnail_url": "media/a.png"})
    [fresh] = media({"thumbnail_url": "https://h/media/a.png?Signature=x"})
    assert stored.index == fresh.index


COMMA_URLS = [
    "https://images.example/w_300,h_200,c_fill/van.jpg",
    "https://images.example/cdn/Paris,_France.png",
    "https://images.example/van.jpg?x-oss-process=image/resize,w_300",
    "s3://bucket/a,b/c.mp4",
]


@pytest.mark.parametrize("url", COMMA_URLS)
@pytest.mark.parametrize("wrapper", [None, "payload", "metadata", "content"])
def test_it_shows_a_field_whose_address_holds_commas(url: str, wrapper: str | None) -> None:
    fields = {"image_url": url}
    document = {wrapper: fields} if wrapper else fields
    [file] = files(document)
    assert file.url == url


def test_it_shows_each_address_of_a_list() -> None:
    document = {"image_url": COMMA_URLS[:2], "media": {"urls": [*COMMA_URLS[2:], 7, "no address"]}}
    listed = list(files(document))
    assert [file.url for file in listed] == COMMA_URLS
    assert len({file.index for file in listed}) == 4

    backwards = list(files({"image_url": COMMA_URLS[1::-1]}))
    assert [file.index for file in backwards] == [listed[1].index, listed[0].index]


def test_it_reads_a_joined_list_as_the_one_text_that_it_is() -> None:
    assert list(files({"image_url": "https://h.example/a.txt, not an address"})) == []
