"""Is what was submitted well formed? Typed text in, values out, a sentence for each thing that is wrong.

Whether the person may, and whether somebody was faster, is the service's question (`services.decide`).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from reviewapp.annotations.decide import parsing
from reviewapp.annotations.decide import payload as payloads
from reviewapp.annotations.decide.parsing import FIELDS
from reviewapp.annotations.decide.services import Submission
from reviewapp.annotations.mirror.from_upstream import BLANK
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.annotations.value_authorship import PERSONAL_FIELDS, given_by_people
from reviewapp.json_values import same
from reviewapp.retrievers.conflict_choice import MINE, THEIRS
from reviewapp.retrievers.guidance.form_settings import StartsFrom
from reviewapp.retrievers.models import Result

MOST_REASON = 500
# What the form carries unseen, besides the seconds that the page counts.
HIDDEN = (
    "decision_id",
    "base",
    "base_version",
    "result_id",
    "opened",
    "person",
    "draft",
    "was_base",
    "asked",
    "new_label",
)

# The base comes back as it was rendered, so it may hold more than a person may type.
_LARGEST_BASE, _DEEPEST_BASE = 1024 * 1024, 200
_DAMAGED = "This form is damaged. Copy what you typed, reload the page and submit again."
FROM_BEFORE = (
    "This page was opened before an update. Confidence and reasoning no longer start with the machine's words: check "
    "them and submit again."
)
_A_DAY = 86_400.0


class _Shared(dict[str, forms.Field]):
    """Fields that no form changes, so none needs a copy of them, which takes longer than reading what was typed."""

    def __deepcopy__(self, memo: object) -> Self:
        return self


class DecisionForm(forms.Form):
    """What a reviewer decides, with what they saw when they did (`base`, `base_version`, `result_id`).

    `choice` is the label picked among the buttons, `label` the one written instead; what is written wins. After a
    stale submission `asked` names the fields in question and `keep_<field>` says whose value stands, theirs being what
    `base` then holds. `person` is whose form it is, `draft` the edition of the draft they had before them, `was_base`
    what they began from, older than `base`. `new_label` is a label that nobody had used and that is to be created.
    """

    decision_id = forms.UUIDField(error_messages={"required": _DAMAGED, "invalid": _DAMAGED})
    base = forms.CharField(error_messages={"required": _DAMAGED})
    base_version = forms.IntegerField(required=False, min_value=-(2**31), max_value=2**31 - 1)
    result_id = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    opened = forms.CharField(required=False)
    person = forms.CharField(required=False)
    draft = forms.CharField(required=False)
    was_base = forms.CharField(required=False)
    asked = forms.CharField(required=False)
    new_label = forms.CharField(required=False, strip=False)
    seconds = forms.CharField(required=False)

    outcome = forms.ChoiceField(choices=Decision.Outcome.choices, required=False)
    choice = forms.CharField(required=False, strip=False)
    label = forms.CharField(required=False)
    confidence = forms.CharField(required=False)
    reasoning = forms.CharField(required=False, strip=False)
    payload = forms.CharField(required=False, strip=False)

    keep_label = forms.CharField(required=False)
    keep_confidence = forms.CharField(required=False)
    keep_reasoning = forms.CharField(required=False)
    keep_payload = forms.CharField(required=False)

    def __init__(self, data: Mapping[str, Any], *, annotation: Annotation) -> None:
        super().__init__(data)
        self.annotation = annotation

    def submission(self, *, hold: int = 0) -> Submission:
        """Return what was submitted, to be held for so many seconds; only after `is_valid()`."""
        data = self.cleaned_data
        return Submission(
            decision_id=data["decision_id"],
            outcome=Decision.Outcome(data["outcome"]),
            hold=hold,
            draft=_edition(data["draft"]),
            given=self._given(),
            is_whole=True,
            **{name: data[name] for name in (*FIELDS, "base", "base_version", "result_id", "seconds")},
        )

    @property
    def is_from_before(self) -> bool:
        """Whether the page was opened when forms still started with the machine's confidence and reasoning."""
        return bool(self.cleaned_data.get("base")) and "given" not in self.cleaned_data["base"]

    def _given(self) -> frozenset[str]:
        """Return what the person gave of confidence and reasoning.

        That is what is written there, also what was cleared of a value that the form began with, and what the person
        took over when somebody else's value was asked about.
        """
        data = self.cleaned_data
        began_with = set(data["base"].get("given", ()))
        written = {name for name in PERSONAL_FIELDS if data.get(name) not in (None, "")}
        taken = {name for name in PERSONAL_FIELDS if data.get(f"keep_{name}") == THEIRS}
        return frozenset(began_with | written | taken)

    def clean_outcome(self) -> str:
        """Submitting by the Enter key, without a button, means to decide."""
        return str(self.cleaned_data["outcome"] or Decision.Outcome.DECIDED)

    def clean_base(self) -> dict[str, Any]:
        """Hold the base to the shape that `Annotation.seen()` has."""
        return read_base(self.cleaned_data["base"])

    def clean_result_id(self) -> int | None:
        """Let a decision rest on a result of its own document only."""
        result_id: int | None = self.cleaned_data["result_id"]
        # The annotation's own result needs no look: it is of this document.
        own = result_id == self.annotation.result_id
        if result_id is not None and not own and not self._results().filter(pk=result_id).exists():
            raise ValidationError(_DAMAGED)
        return result_id

    def clean(self) -> dict[str, Any]:
        """Read the four values, taking theirs where that was asked for, and how long it took."""
        data = self.cleaned_data
        data["seconds"] = _spent(data.get("seconds", ""), data.get("opened", ""))
        if unsaid := () if self._undecidable() else unanswered(data):
            self._begin_again(unsaid)
        if "base" in data:
            for name in FIELDS:
                if name not in self.errors:
                    self._read(name)
        return data

    def _begin_again(self, fields: Collection[str]) -> None:
        """Let these fields rest on what their writer began from, so that what is asked of them is asked again."""
        try:
            was = read_base(self.cleaned_data["was_base"])
        except ValidationError as error:
            self.add_error("base", error)
        if "base" in self.cleaned_data:
            self.cleaned_data["base"] |= {name: was[name] for name in (*fields, "decision")}

    def _read(self, name: str) -> None:
        data = self.cleaned_data
        try:
            is_unasked = self._undecidable() and name in {"confidence", "payload"}
            taken = is_unasked or data.get(f"keep_{name}") == THEIRS
            data[name] = data["base"][name] if taken else getattr(self, f"_{name}")(data["base"])
            self._hold(name, data[name])
        except parsing.NotThat as error:
            self.add_error(name, str(error))

    def _hold(self, name: str, value: Any) -> None:
        """Let nothing in through the base that nobody may type, unless it stands here or at Mixpeek already."""
        standing = (self.annotation.values(), self.annotation.upstream)
        if self._undecidable() or (value and any(same(value, values.get(name)) for values in standing)):
            return
        parsing.check(name, value)

    def _label(self, base: Mapping[str, Any]) -> str:
        text = str(self.cleaned_data["label"] or self.cleaned_data.get("choice", ""))
        if self._undecidable():
            return str(base["label"])
        text = parsing.label(text, base=str(base["label"]))
        offered = self.annotation.retriever.label_set if self.annotation.retriever else None
        if offered and not offered.allows(text):
            raise parsing.NotThat(f"“{text}” is not among the labels of this retriever.")
        return text

    def _confidence(self, base: Mapping[str, Any]) -> float | None:
        return parsing.confidence(self.cleaned_data["confidence"])

    def _reasoning(self, base: Mapping[str, Any]) -> str:
        text = parsing.reasoning(self.cleaned_data["reasoning"], base=base["reasoning"])
        # What stood there before, the machine's mostly, is no reason of this person's.
        if self._undecidable() and text.strip() in {"", str(base["reasoning"]).strip()}:
            raise parsing.NotThat("Write why you can't tell, for the next reviewer.")
        return text

    def _payload(self, base: Mapping[str, Any]) -> dict[str, Any]:
        return parsing.payload(self.cleaned_data["payload"], base=base["payload"])

    def _undecidable(self) -> bool:
        return bool(self.cleaned_data.get("outcome") == Decision.Outcome.UNDECIDABLE)

    def _results(self) -> QuerySet[Result]:
        return Result.objects.filter(document_id=self.annotation.document_id)


DecisionForm.base_fields = _Shared(DecisionForm.base_fields)


class AsideForm(forms.Form):
    """Why somebody skips or defers an item; the reason may stay blank."""

    reason = forms.CharField(required=False, max_length=MOST_REASON)


def opening(annotation: Annotation, *, now: datetime) -> dict[str, Any]:
    """Return the data of an untouched form, and what a decision will refer to.

    It starts with the annotation's values, but with a confidence and a reasoning only if a person gave them, and
    without a label where nobody has decided and the retriever's form starts from nothing.
    """
    label_set = annotation.retriever.label_set if annotation.retriever else None
    starts_from = label_set.starts_from if label_set else StartsFrom.MACHINE
    values = as_form(annotation.values(), given_by_people(annotation, annotation.changes))
    if starts_from == StartsFrom.NOTHING and annotation.status == Annotation.Status.WAITING:
        values["choice"] = ""

    return {
        **fresh(annotation),
        "result_id": annotation.result_id,
        "opened": now.isoformat(),
        **values,
    }


def as_form(values: Mapping[str, Any], given: Collection[str], names: Collection[str] = FIELDS) -> dict[str, str]:
    """Return values as the form's data; confidence and reasoning are blank unless they are among those `given`."""
    blanks = {name: BLANK[name] for name in PERSONAL_FIELDS if name not in given}
    return parsing.as_typed({**values, **blanks}, *names)


def fresh(annotation: Annotation, given: Collection[str] | None = None) -> dict[str, Any]:
    """Return what makes a form a new one: its own id, and the annotation as it stands.

    `given` names those of confidence and reasoning that the form holds, None for all that people gave.
    """
    if given is None:
        given = given_by_people(annotation, annotation.changes)
    seen = json.dumps(annotation.seen(given))
    return {"decision_id": str(uuid.uuid4()), "base": seen, "base_version": annotation.version}


def brought_up_to_date(data: Mapping[str, Any], annotation: Annotation) -> dict[str, Any]:
    """Return the data of a form from before the update with a new base, and without the machine's words.

    What its writer typed stays: whatever is not what the form began with.
    """
    began = read_base(str(data.get("was_base") or data["base"]))
    untouched = [
        name
        for name, text in parsing.as_typed(began, *PERSONAL_FIELDS).items()
        if _is_same_text(text, str(data.get(name, "")))
    ]
    values = as_form(annotation.values(), given_by_people(annotation, annotation.changes), untouched)
    return {**data, **fresh(annotation), "was_base": "", "asked": "", **values}


def _is_same_text(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def unanswered(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that a form asked about, and whose writer has not said whose value stands."""
    asked = str(data.get("asked") or "").split()
    return tuple(name for name in FIELDS if name in asked and data.get(f"keep_{name}") not in {MINE, THEIRS})


def read_base(text: str) -> dict[str, Any]:
    """Return a base as a form carries it (see `Annotation.seen`); raises `ValidationError` when it is damaged."""
    try:
        base = payloads.read(text, most_bytes=_LARGEST_BASE, most_levels=_DEEPEST_BASE)
    except payloads.BadPayload as error:
        raise ValidationError(_DAMAGED) from error
    if not _is_seen(base):
        raise ValidationError(_DAMAGED)
    return base


def _edition(text: str) -> uuid.UUID | None:
    """Return the edition of a draft; a damaged one is none, and no reason to refuse a decision."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _is_seen(base: Mapping[str, Any]) -> bool:
    kinds = {"label": str, "confidence": int | float | None, "reasoning": str, "payload": dict, "decision": int | None}
    # Forms from before the update say nothing of what a person gave.
    given = base.get("given", [])
    if not isinstance(given, list) or not set(map(str, given)) <= set(PERSONAL_FIELDS):
        return False
    shaped = set(base) - {"given"} == set(kinds) and all(
        isinstance(base[name], kind) and not isinstance(base[name], bool) for name, kind in kinds.items()
    )
    return shaped and len(base["label"]) <= parsing.MOST_LABEL and 0 <= (base["confidence"] or 0) <= 1


def _spent(counted: str, opened: str) -> float | None:
    """Return the seconds an item was looked at: as the page counted them, else since it was rendered.

    None when neither can be believed; how long it took is never a reason to refuse a decision.
    """
    try:
        seconds = float(counted or (timezone.now() - datetime.fromisoformat(opened)).total_seconds())
    except (ValueError, TypeError):
        return None
    return round(seconds, 1) if 0 <= seconds <= _A_DAY else None
