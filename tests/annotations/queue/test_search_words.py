"""A search finds what people see: parts of names and numbers, ids, labels, any script."""

from __future__ import annotations

import unicodedata
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.queue.filters import QueueFilter, Show
from reviewapp.annotations.queue.pages import load_queue_page
from tests.decisions import decide
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db

HTML = "<div class=open <p>Harbour</p> <a href='x"
SEEN = [
    ("report-final.pdf", ["report", "final", "pdf", "report-final", "report-final.pdf", "REPORT"]),
    ("invoice_2024.pdf", ["2024", "invoice", "invoice_2024", "2024.pdf"]),
    ("invoice2024v12.pdf", ["2024", "invoice", "invoice2024", "Invoice2024V12.PDF"]),
    ("DS-7604NI-E1", ["DS-7604NI", "7604NI", "7604", "ds-7604ni-e1", "DS 7604NI", "E1"]),
    ("www.shop.example/catalog/shoes.html", ["shoes", "shop.example", "catalog/shoes", "www"]),
    ("https://shop.example/a?size=42&brand=acme#top", ["42", "acme", "size=42", "shop.example/a"]),
    ("anna.smith@mail.example", ["smith", "anna.smith", "mail.example", "anna.smith@mail.example"]),
    ("ShoesCatalogPage7", ["catalog", "shoescatalogpage7", "ShoesCatalogPage7", "shoes"]),
    ("C:\\scans\\page_007.tif", ["scans", "page_007", "007", "tif"]),
    ("a 7f3a9b2c hash", ["7f3a9b2c", "7F3A9B2C"]),
    ("costs 1,234.56 or -5", ["1,234.56", "234", "5"]),
    (HTML, ["harbour", "open", "div", "href"]),
    ("1 < 2 and then a lighthouse", ["lighthouse", "then"]),
    ("&amp; entities &lt;b&gt;bold", ["bold", "entities", "amp"]),
    ("東京都の狐です", ["東京", "京都", "東京都", "狐", "す", "東", "都の狐", "東京都の狐です"]),
    ("ｶﾀｶﾅ と カタカナ", ["カタ", "タカナ", "ｶﾀｶﾅ"]),
    ("ภาษาไทยสวยงาม", ["ไทย", "ภาษา", "สวย", "งาม"]),
    ("서울에서 만나요", ["서울", "만나"]),
    ("iPhone15の写真abc", ["写真", "iphone15", "abc"]),
    ("caf\u00e9 ÉCOLE", ["cafe\u0301", "CAFÉ", "école"]),
    ("re\u0301sume\u0301", ["r\u00e9sum\u00e9", "RÉSUMÉ"]),
    ("\uff26\uff55\uff4c\uff4c \ufb01ne", ["full", "fine", "\uff46\uff55\uff4c\uff4c"]),
    ("in\u00advoice zero\u200bwidth", ["invoice", "zerowidth"]),
    ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
    ("“quoted”—dash…end", ["quoted", "dash", "end", "“quoted”"]),
]
UNSEEN = [
    ("report-final.pdf", ["final-report", "port", "report.final.doc"]),
    ("東京都の狐です", ["京東", "狐東", "大"]),
    ("ภาษาไทย", ["ไทยภาษา"]),
    ("DS-7604NI-E1", ["7604-DS"]),
]


def titles(person: User, words: str) -> list[str]:
    return [row.title for row in load_queue_page(QueueFilter(show=Show.ALL, q=words), person).rows]


@pytest.mark.parametrize(("text", "searches"), SEEN)
def test_it_finds_parts_of_what_stands_in_a_field(
    alice: User, text: str, searches: list[str]
) -> None:
    make_annotation(title="another", words="nothing of it", document_id="none")
    for field in ("words", "reasoning", "document_id", "label", "title"):
        values: dict[str, Any] = {"title": field, "words": "", "document_id": field, field: text}
        make_annotation(**values)

    everywhere = ["words", "reasoning", "document_id", "label", text]
    for words in searches:
        for form in ("NFC", "NFD"):
            assert titles(alice, unicodedata.normalize(form, words)) == everywhere, words


@pytest.mark.parametrize(("text", "searches"), UNSEEN)
def test_it_finds_nothing_that_does_not_stand_there(
    alice: User, text: str, searches: list[str]
) -> None:
    make_annotation(title="the one", words=text)
    for words in searches:
        assert titles(alice, words) == [], words


def test_it_finds_the_ids_of_an_item_behind_any_text(alice: User) -> None:
    make_annotation(
        title="one", words=f"{HTML} " * 300, document_id="doc_8f/31.x", annotation_id="ann_44.7b"
    )
    for words in ("doc_8f/31.x", "8f", "ann_44.7b", "7b", "-doc_1 ann_44"):
        assert titles(alice, words) == ["one"], words


def test_it_knows_phrases_exclusions_and_alternatives(alice: User) -> None:
    make_annotation(title="a", words="blue van, red-boat.jpg", document_id="x", annotation_id="x1")
    make_annotation(title="b", words="van of blue 東京都", document_id="y", annotation_id="x2")
    expected = {
        '"blue van"': ["a"],
        "blue van": ["a", "b"],
        "blue -red-boat": ["b"],
        '-"blue van"': ["b"],
        "red-boat or 京都": ["a", "b"],
        "red-boat OR nothing": ["a"],
        '"blue van': ["a"],
        "blue & van": ["a", "b"],
        "blue -京都": ["a"],
        "or": [],
        "' \\ & | ! ( ) : *": [],
        "blue:* !van": ["a", "b"],
        "-": [],
    }
    for words, found in expected.items():
        assert titles(alice, words) == found, words


def test_it_finds_a_decision_and_no_longer_what_it_replaced(alice: User) -> None:
    item = make_annotation(title="file-one.pdf", label="old-label", reasoning="machine says")
    for number in range(3):
        item.refresh_from_db()
        decide(item, alice, label=f"new-label{number}0", reasoning=f"because of 東京{number}")
    for words in ("new", "20", "because", "京", "one", "file-one"):
        assert titles(alice, words) == ["file-one.pdf"], words
    for words in ("old", "old-label", "machine", "10"):
        assert titles(alice, words) == [], words


def test_it_follows_a_write_past_the_app(alice: User) -> None:
    item = make_annotation(title="one", words="first.txt", label="cat")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE annotations_annotation SET words = 'second.txt', label = 'dog'")
    assert titles(alice, "second dog") == ["one"]
    assert titles(alice, "first") == titles(alice, "cat") == []

    item.refresh_from_db()
    item.status = "gone"
    item.save()
    assert titles(alice, "second dog") == ["one"]


def test_a_migration_indexes_what_was_there_before(alice: User) -> None:
    old = [make_annotation(title=f"scan-{number}.pdf", label="a-b") for number in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE annotations_annotation SET search = to_tsvector('simple', title)")
    assert titles(alice, "scan") == []

    migration = import_module("reviewapp.annotations.migrations.0014_refill_search")
    with connection.schema_editor(atomic=False) as editor:
        migration.refill(apps, editor)
    assert titles(alice, "scan b") == [item.title for item in old]

    Annotation.objects.filter(pk=old[0].pk).update(label="c-d")
    assert titles(alice, "scan d") == ["scan-0.pdf"]
    assert len(titles(alice, "scan b")) == 2
