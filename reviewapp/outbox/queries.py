"""Named questions about changes, each with an index that `Change.Meta` names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from reviewapp.outbox.models import Change


class ChangeQuerySet(models.QuerySet["Change"]):
    """Changes."""

    def open_on(self, ref: str) -> Self:
        """Return what is still to be delivered to `ref`, oldest first."""
        return self.filter(ref=ref, state="queued").order_by("id")

    def about(self, ref: str) -> Self:
        """Return every change of `ref`, newest first."""
        return self.filter(ref=ref).order_by("-id")

    def attention(self) -> Self:
        """Return what waits for a person: conflicts and refusals, newest first."""
        return self.filter(state__in=["conflict", "refused"]).order_by("-id")
