"""Edits of retrievers, as a form would hand them on, and as a browser would send them."""

from __future__ import annotations

import uuid
from typing import Any

from django.test import Client
from django.urls import reverse

from reviewapp.retrievers.editing.edit import RetrieverEdit
from reviewapp.retrievers.models import Retriever


def edit_of(retriever: Retriever, **wishes: Any) -> RetrieverEdit:
    """Return an edit made from the retriever as it stands in this object."""
    given: dict[str, Any] = {"edit_id": uuid.uuid4(), "base": retriever.values()} | wishes
    return RetrieverEdit(**given)


def address(retriever: Retriever) -> str:
    return reverse("edit_retriever", args=[retriever.pk])


def filled_edit_form(client: Client, retriever: Retriever, **changes: Any) -> dict[str, Any]:
    """Return what a browser would send of the form as it is given out, with changes."""
    draft = client.get(address(retriever)).context["draft"]
    return {
        "edit_id": draft.edit_id,
        "base": draft.base_json,
        "answers": draft.answers,
        "name": draft.name,
        "description": draft.description.replace("\n", "\r\n"),
        "add": [""],
    } | changes
