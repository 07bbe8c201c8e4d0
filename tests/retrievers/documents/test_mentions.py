"""Which values of an item may be the ids of other documents."""

from __future__ import annotations

from typing import Any

import pytest

from reviewapp.retrievers.documents.mentions import Mention, possible_mentions


def test_it_names_each_place_of_an_id_and_the_payload_first() -> None:
    payload = {"similarity": {"nearest": "doc_2"}}
    snapshot = {"document_id": "doc_1", "twin": "doc_2", "payload": {"parents": ["doc_3", "doc_2"]}}
    assert possible_mentions(payload, snapshot, own_id="doc_1") == {
        "doc_2": [
            Mention(is_payload=True, path="similarity.nearest"),
            Mention(is_payload=False, path="twin"),
            Mention(is_payload=False, path="parents"),
        ],
        "doc_3": [Mention(is_payload=False, path="parents")],
    }


@pytest.mark.parametrize(
    "value", ["doc_1", "", "  ", "x" * 201, 12, True, None], ids=lambda value: repr(value)[:10]
)
def test_it_passes_over_what_is_no_id_of_another_document(value: Any) -> None:
    assert possible_mentions({"twin": value}, {}, own_id="doc_1") == {}


def test_it_reads_no_more_than_it_may() -> None:
    payload = {f"field {number}": f"doc_{number}" for number in range(20_000)}
    assert len(possible_mentions(payload, {"ids": list(map(str, range(20_000)))}, own_id="")) == 100


def test_it_looks_at_the_document_after_a_large_payload() -> None:
    payload = {"rows": [{"score": number} for number in range(20_000)]}
    assert list(possible_mentions(payload, {"twin": "doc_2"}, own_id="doc_1")) == ["doc_2"]
