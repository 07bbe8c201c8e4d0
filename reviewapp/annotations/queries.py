"""Named questions about annotations and decisions, each with an index that `Meta` names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from reviewapp.accounts.models import User
    from reviewapp.annotations.models import Annotation, Decision


class AnnotationQuerySet(models.QuerySet["Annotation"]):
    """Annotations, as the queue asks for them."""

    def waiting(self) -> Self:
        """Return those nobody has decided yet."""
        return self.filter(status="waiting")


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Decisions."""

    def last_of(self, person: User) -> Self:
        """Return a person's decisions, newest first."""
        return self.filter(reviewer=person).order_by("-id")
