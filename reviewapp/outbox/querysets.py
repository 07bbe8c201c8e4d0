"""Queries about changes; `Change.Meta` has an index for each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef

from reviewapp.outbox.rate_limit.token_bucket import Rank

if TYPE_CHECKING:
    from reviewapp.outbox.models import Change


class ChangeQuerySet(models.QuerySet["Change"]):
    """The QuerySet of `Change`."""

    def open_on(self, ref: str) -> Self:
        """Return the queued changes of `ref`, oldest first."""
        return self.filter(ref=ref, state="queued").order_by("id")

    def setting_values(self) -> Self:
        """Return those that set values: not "can't tell" and its reversal."""
        return self.exclude(verb__in=["cannot_tell", "revert"])

    def open_by_ref(self, refs: Iterable[str]) -> dict[str, list[Change]]:
        """Return the queued changes of each of `refs`, oldest first; an empty list for none."""
        by_ref: dict[str, list[Change]] = {ref: [] for ref in refs}
        queued = self.filter(ref__in=list(by_ref), state="queued")
        for change in queued.order_by("id"):
            by_ref[change.ref].append(change)
        return by_ref

    def heads_due(self, now: datetime, *, rank: Rank) -> Self:
        """Return what `claims.claim_many` would claim of a rank, the longest due first."""
        older = self.model.objects.filter(
            ref=OuterRef("ref"),
            state="queued",
            id__lt=OuterRef("id"),
        )
        due = self.filter(state="queued", rank=rank, due__lte=now)
        return due.exclude(Exists(older)).order_by("due", "id")

    def by_cause(self, causes: Iterable[UUID]) -> dict[UUID | None, Change]:
        """Return the changes that these decisions or edits made, by their ids."""
        changes = self.filter(cause__in=list(causes))
        return {change.cause: change for change in changes}

    def about(self, ref: str) -> Self:
        """Return every change of `ref`, newest first."""
        return self.filter(ref=ref).order_by("-id")

    def by_ref(self, refs: Iterable[str]) -> dict[str, list[Change]]:
        """Return every change of these refs by its ref, newest first."""
        changes: dict[str, list[Change]] = {}
        for change in self.filter(ref__in=list(refs)).order_by("-id"):
            changes.setdefault(change.ref, []).append(change)
        return changes

    def attention(self) -> Self:
        """Return conflicts and refusals, which wait for a person, newest first."""
        return self.filter(state__in=["conflict", "refused"]).order_by("-id")

    def oldest_waiting(self) -> datetime | None:
        """Return when the oldest queued change was created; None when none is queued."""
        queued = self.filter(state="queued").order_by("created_at")
        return queued.values_list("created_at", flat=True).first()
