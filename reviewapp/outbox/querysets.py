"""Named questions about changes, each with an index that `Change.Meta` names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Exists, OuterRef

from reviewapp.outbox.rate_limit.token_bucket import Rank

if TYPE_CHECKING:
    from reviewapp.outbox.models import Change


class ChangeQuerySet(models.QuerySet["Change"]):
    """Changes."""

    def open_on(self, ref: str) -> Self:
        """Return what is still to be delivered to `ref`, oldest first."""
        return self.filter(ref=ref, state="queued").order_by("id")

    def open_by_ref(self, refs: Iterable[str]) -> dict[str, list[Change]]:
        """Return what is still to be delivered to each of `refs`, oldest first; nothing is an empty list."""
        by_ref: dict[str, list[Change]] = {ref: [] for ref in refs}
        for change in self.filter(ref__in=list(by_ref), state="queued").order_by("id"):
            by_ref[change.ref].append(change)
        return by_ref

    def heads_due(self, now: datetime, *, rank: Rank) -> Self:
        """Return what `claims.claim_many` would take of a rank, the longest due first."""
        older = self.model.objects.filter(ref=OuterRef("ref"), state="queued", id__lt=OuterRef("id"))
        return self.filter(state="queued", rank=rank, due__lte=now).exclude(Exists(older)).order_by("due", "id")

    def about(self, ref: str) -> Self:
        """Return every change of `ref`, newest first."""
        return self.filter(ref=ref).order_by("-id")

    def attention(self) -> Self:
        """Return what waits for a person: conflicts and refusals, newest first."""
        return self.filter(state__in=["conflict", "refused"]).order_by("-id")

    def oldest_waiting(self) -> datetime | None:
        """Return since when the change that waits longest is to be delivered, None when none waits."""
        return self.filter(state="queued").order_by("created_at").values_list("created_at", flat=True).first()
