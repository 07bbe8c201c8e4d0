"""Refs: how the history, the outbox and the logs name a thing, as in `annotations/ann_1`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from reviewapp.storable import is_storable


class RefKind(StrEnum):
    """The kinds of things that code looks up by their refs; the history knows more kinds."""

    ANNOTATION = "annotations"
    RETRIEVER = "retrievers"
    PERSON = "people"


@dataclass(frozen=True)
class Ref:
    """The kind and the id of a thing; columns, URLs and logs hold `str(ref)`."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the ref that `text` (of a column) spells; raises ValueError if it is none."""
        ref = cls.parse_or_none(text)
        if ref is None:
            raise ValueError(f"{text!r} is no ref")
        return ref

    @classmethod
    def parse_or_none(cls, text: str) -> Self | None:
        """Return the ref that `text` spells, for text of people and of URLs; None if it is none.

        A ref has a kind and an id, without characters that neither PostgreSQL nor a URL can hold:
        NUL and lone surrogates.
        """
        kind, _, id_ = text.partition("/")
        if not kind or not id_ or not is_storable(text):
            return None
        return cls(kind, id_)
