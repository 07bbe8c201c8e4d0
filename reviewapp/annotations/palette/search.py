"""Find items, retrievers and people for the command palette, each only for people who may see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth import get_user_model
from django.urls import reverse

from reviewapp.annotations.palette.choices import ChoiceKind, PaletteChoice
from reviewapp.annotations.queue.search_query import search_query
from reviewapp.postgres.statement import sql_file
from reviewapp.retrievers.models import Retriever
from reviewapp.web.http import parse_whole_number

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

# Of each kind.
_MAX_CHOICES = 8
# The beginnings of shorter words stand in too many rows of the index.
_MIN_PREFIX_LENGTH = 3

# In the queue's search a minus sign excludes a word; alone, it would find nearly all items.
_OPERATORS = re.compile(r'(?<!\S)-+|"')
_LAST_WORD_END = re.compile(r"'\)$")


class PaletteForm(forms.Form):
    """The words to search for."""

    q = forms.CharField(max_length=100, required=False)


@dataclass(frozen=True)
class FoundItem:
    """An annotation, as far as the palette shows it."""

    id: int
    title: str
    document_id: str
    label: str


_ITEMS = sql_file(__file__, "items.sql", FoundItem)


def find_choices(words: str, person: User) -> list[PaletteChoice]:
    """Return at most eight of each: items by number or words, retrievers and people by letters."""
    choices = []
    if person.has_perm("annotations.view_annotation"):
        choices += _find_items(words)
    if person.has_perm("retrievers.view_retriever"):
        choices += _find_retrievers(words)
    if person.has_perm("audit.view_event"):
        choices += _find_people(words, person)
    return choices


def _find_items(words: str) -> list[PaletteChoice]:
    plain_words = _OPERATORS.sub("", words)
    longest_word = max(plain_words.split(), key=len, default="")
    rows = _ITEMS.rows(
        number=parse_whole_number(words.removeprefix("#")),
        words=_query_of_beginnings(plain_words),
        in_title=re.escape(longest_word),
        limit=_MAX_CHOICES,
    )

    choices = {}
    for row in rows:
        details = [row.document_id, row.label] if row.title else [row.label]
        choices[row.id] = PaletteChoice(
            kind=ChoiceKind.ITEM,
            title=row.title or row.document_id,
            detail=" · ".join(detail for detail in details if detail),
            url=reverse("review", args=[row.id]),
        )
    return list(choices.values())


def _query_of_beginnings(words: str) -> str:
    """Return what to ask of the index of words: all of them, the last one perhaps unfinished."""
    query = search_query(words)
    typed = words.split()
    if typed and len(typed[-1]) >= _MIN_PREFIX_LENGTH:
        query = _LAST_WORD_END.sub("':*)", query)
    return query


def _find_retrievers(words: str) -> list[PaletteChoice]:
    retrievers = Retriever.objects.present().with_letters(words)
    rows = retrievers.values_list("pk", "name", "retriever_id")[:_MAX_CHOICES]
    choices = []
    for pk, name, retriever_id in rows:
        choices.append(
            PaletteChoice(
                kind=ChoiceKind.RETRIEVER,
                title=name,
                detail=retriever_id,
                url=reverse("retriever", args=[pk]),
            )
        )
    return choices


def _find_people(words: str, person: User) -> list[PaletteChoice]:
    # Who manages people goes to the person's page, others to the person's decisions.
    url_name = "decisions_of_person"
    if person.has_perm("accounts.change_user"):
        url_name = "person"

    people = get_user_model().people.with_letters(words)
    choices = []
    for other in people[:_MAX_CHOICES]:
        choices.append(
            PaletteChoice(
                kind=ChoiceKind.PERSON,
                title=other.get_username(),
                detail=other.get_full_name(),
                url=reverse(url_name, args=[other.pk]),
            )
        )
    return choices
