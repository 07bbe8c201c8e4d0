"""The content of a label set: what an admin saves, without who and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reviewapp.retrievers.guidance.form_settings import DEFAULT, FormSettings
from reviewapp.retrievers.guidance.labels import Label


@dataclass(frozen=True, kw_only=True)
class LabelSetContent:
    """The labels in order, whether other labels are allowed, and the decision form's settings.

    A retriever without a label set has the content of an empty one: the labels in use are offered.
    """

    labels: tuple[Label, ...] = ()
    other_allowed: bool = True
    settings: FormSettings = DEFAULT

    def normalized(self) -> LabelSetContent:
        """Return the content as it is stored: without labels, reviewers may write any label."""
        if self.labels:
            return self
        return replace(self, other_allowed=True)
