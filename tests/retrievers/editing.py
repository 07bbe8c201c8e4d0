"""Edits of retrievers, as a form would hand them on."""

from __future__ import annotations

import uuid
from typing import Any

from reviewapp.retrievers.edits import Edit
from reviewapp.retrievers.models import Retriever


def edit_of(retriever: Retriever, **wishes: Any) -> Edit:
    """Return an edit made from the retriever as it stands in this object."""
    given: dict[str, Any] = {"edit_id": uuid.uuid4(), "base": retriever.values()} | wishes
    return Edit(**given)
