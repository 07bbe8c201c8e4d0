"""The form of the label editor: its rows, the version it began from, and what it asks if somebody was faster. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.http import QueryDict

from reviewapp.retrievers.conflict_choice import Keep
from reviewapp.retrievers.guidance import label_questions, label_rows, labels
from reviewapp.retrievers.guidance.form_settings import FormSettings
from reviewapp.retrievers.guidance.label_merge import Merged, Offer, Question, answered
from reviewapp.retrievers.guidance.label_rows import Row
from reviewapp.web.http import whole_number


@dataclass(frozen=True, kw_only=True)
class LabelForm:
    """What stands in the editor; `base_version` is the version it was rendered over.

    After somebody was faster, `was_version` is the version that its writer began from, `questions` what was asked then,
    and `chosen` what was picked, by the key of the question.
    """

    rows: list[Row]
    other_allowed: bool
    settings: FormSettings
    base_version: int
    was_version: int | None = None
    questions: list[Question] = field(default_factory=list)
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def offer(self) -> Offer:
        """What the rows come to."""
        labels_of_rows = tuple(label_rows.labels(self.rows))
        return Offer(labels=labels_of_rows, other_allowed=self.other_allowed, settings=self.settings)

    def marked(self) -> LabelForm:
        """Return it with what is wrong said at each row."""
        wrong = labels.problems(self.offer.labels)
        return replace(self, rows=label_rows.marked(self.rows, wrong))

    def keeps(self, *, base: Offer, theirs: Offer) -> dict[Question, Keep]:
        """Return what is still to be asked, `base` being what its writer began from."""
        sides = {"base": base, "mine": self.offer, "theirs": theirs}
        return label_questions.keeps(self.questions, **sides, chosen=self.chosen)

    def with_answers(self, asked: Mapping[Question, Keep], *, theirs: Offer) -> LabelForm:
        """Return it with theirs put in wherever that was chosen, and nothing left to ask."""
        made = answered(self.offer, theirs, {question: keep.chosen for question, keep in asked.items()})
        return over(made, version=self.base_version)

    def caught_up(self, merged: Merged, *, version: int) -> LabelForm:
        """Return it over the newer version: what merges by itself is in its rows, what does not is asked."""
        made = over(merged.offer, version=version).marked()
        return replace(made, was_version=self.base_version, questions=list(merged.questions))


def over(offer: Offer, *, version: int) -> LabelForm:
    """Return an untouched form."""
    return LabelForm(
        rows=label_rows.rows_of(offer.labels),
        other_allowed=offer.other_allowed,
        settings=offer.settings,
        base_version=version,
    )


def read(data: QueryDict) -> LabelForm:
    """Return what was sent; what cannot be read counts as not said."""
    keys = data.getlist("asked")
    return LabelForm(
        rows=label_rows.read(data),
        other_allowed=bool(data.get("other_allowed")),
        settings=FormSettings.read(data),
        base_version=whole_number(data.get("base_version", "")) or 0,
        was_version=whole_number(data.get("was_base", "")),
        questions=label_questions.read(keys),
        chosen={key: data.get(f"keep_{at}", "") for at, key in enumerate(keys)},
    )
