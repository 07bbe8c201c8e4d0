"""The decision form: parse and validate what was typed into a `Submission`.

Permissions and staleness are checked by `services.decide`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.annotations import parsing
from reviewapp.annotations.decide.form_base import (
    DAMAGED,
    parse_base,
    read_base,
    with_long_values,
    write_base,
)
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.fields import BLANK_VALUES, FIELDS, PERSONAL_FIELDS, as_typed
from reviewapp.annotations.label_use import exact_labels
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.annotations.value_authorship import given_by_people
from reviewapp.json_values import is_same_json
from reviewapp.retrievers.guidance.form_settings import StartsFrom
from reviewapp.retrievers.models import Result
from reviewapp.web.conflicts import fields_without_choice, takes_theirs

MAX_REASON_LENGTH = 500

# What the form carries in hidden inputs, besides the seconds that the page counts.
HIDDEN_FIELDS = (
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

OLD_FORM_NOTICE = gettext_lazy(
    "This page was opened before an update, so nothing was saved. Confidence and reasoning now "
    "start empty: check them and submit again."
)


class DecisionForm(forms.Form):
    """What a reviewer decides, and what they saw then (`base`, `base_version`, `result_id`).

    Each field of `FIELDS` has an input `<field>` and, after a stale submission, `keep_<field>`.
    `choice` is the label picked among the buttons, `label` the one typed instead, which wins.
    After a stale submission `asked` names the fields in conflict and `keep_<field>` whose value to
    keep; theirs is what `base` then holds. `was_base` is the older base that the form started
    from. `person` is the key of the person it was rendered for, `draft` the edition of the draft
    it continues. `new_label` is the unused label that the person has confirmed.

    What is not submitted yet (`is_submitted` false) may lack a label and a reason. A field that was
    not sent was not touched: a long value does not travel back.
    """

    decision_id = forms.UUIDField(error_messages={"required": DAMAGED, "invalid": DAMAGED})
    base = forms.CharField(error_messages={"required": DAMAGED})
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

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        annotation: Annotation,
        is_submitted: bool = True,
    ) -> None:
        super().__init__(data)
        self.annotation = annotation
        self.is_submitted = is_submitted
        self.untouched = _unsent_fields(data)
        # The fields whose values `base` does not hold.
        self.digested: Collection[str] = ()

    def submission(self, *, hold: int = 0) -> Submission:
        """Return the submission, held for `hold` seconds. Call it only after `is_valid()`."""
        data = self.cleaned_data
        # A damaged edition is no reason to refuse a decision.
        draft = None
        with suppress(ValueError):
            draft = uuid.UUID(data["draft"])

        # The person gave the personal fields that are filled in, those the form started with (also
        # if cleared since), and those where they chose to keep somebody else's value.
        given = set(data["base"].get("given", ()))
        for name in PERSONAL_FIELDS:
            is_filled_in = data.get(name) not in (None, "")
            if is_filled_in or takes_theirs(data, name):
                given.add(name)

        names = (*FIELDS, "base", "base_version", "result_id", "seconds")
        return Submission(
            decision_id=data["decision_id"],
            outcome=Decision.Outcome(data["outcome"]),
            hold=hold,
            draft=draft,
            given=frozenset(given),
            is_whole=True,
            **{name: data[name] for name in names},
        )

    @property
    def is_old(self) -> bool:
        """Whether it was rendered when forms started with the machine's words."""
        base = self.cleaned_data.get("base") or {}
        return bool(base) and "given" not in base

    def clean_outcome(self) -> str:
        """Submitting with the Enter key, without a button, decides."""
        return str(self.cleaned_data["outcome"] or Decision.Outcome.DECIDED)

    def clean_base(self) -> dict[str, Any]:
        """Parse the base; it must have the shape of `Annotation.seen()`."""
        base = parse_base(self.cleaned_data["base"])
        self.digested = base.get("digests", {}).keys()
        return with_long_values(base, self.annotation)

    def clean_result_id(self) -> int | None:
        """Accept only a result of the annotation's document."""
        result_id: int | None = self.cleaned_data["result_id"]
        # The annotation's own result needs no query: it is of this document.
        if result_id is None or result_id == self.annotation.result_id:
            return result_id

        results = Result.objects.filter(document_id=self.annotation.document_id)
        if not results.filter(pk=result_id).exists():
            raise ValidationError(DAMAGED)
        return result_id

    def clean(self) -> dict[str, Any]:
        """Parse the values and the seconds; where theirs was chosen, take it from the base."""
        data = self.cleaned_data
        counted = data.get("seconds", "")
        data["seconds"] = parsing.seconds_looked_at(counted, data.get("opened", ""))

        unanswered = unanswered_fields(data)
        if unanswered and not self._is_undecidable():
            # They are based on what the form started from, so that they conflict again.
            try:
                old_base = read_base(data["was_base"], self.annotation)
            except ValidationError as error:
                self.add_error("base", error)
            # `add_error` removes a damaged field from the cleaned data.
            if "base" in data:
                restored = {name: old_base[name] for name in (*unanswered, "decision")}
                data["base"] |= restored

        if "base" in data:
            for name in FIELDS:
                if name not in self.errors:
                    self._clean_value(name)
        return data

    def _clean_value(self, name: str) -> None:
        data = self.cleaned_data
        base = data["base"]
        # "Can't tell" changes no value; its reasoning is why, in the person's own words.
        is_ignored = self._is_undecidable() and name != "reasoning"
        keeps_theirs = takes_theirs(data, name)
        try:
            if is_ignored or keeps_theirs:
                data[name] = base[name]
            elif name in self.untouched and not self._is_undecidable():
                data[name] = self._starting_value(name, base)
            elif name == "label":
                data[name] = self._parse_label(base)
            elif name == "reasoning":
                data[name] = self._parse_reasoning(base)
            else:
                data[name] = FIELDS[name].parse(data[name], base[name])
            self._check_bounds(name, data[name])
        except parsing.InvalidValue as error:
            self.add_error(name, str(error))

    def _starting_value(self, name: str, base: Mapping[str, Any]) -> Any:
        """Return the value that the form started with."""
        if name in PERSONAL_FIELDS and name not in base.get("given", ()):
            return BLANK_VALUES[name]
        return base[name]

    def _parse_label(self, base: Mapping[str, Any]) -> str:
        typed = str(self.cleaned_data["label"]).strip() or self.cleaned_data.get("choice", "")
        if not typed and not self.is_submitted:
            return str(base["label"])

        label_set = self.annotation.label_set
        # A set of an earlier version may hold what nobody may write now.
        if label_set and typed in label_set.values():
            return typed
        if not typed and label_set and label_set.labels and not label_set.other_allowed:
            raise parsing.InvalidValue(_("Choose one of the labels."))
        standing = {str(base["label"]), *exact_labels(self.annotation, typed)}
        label = parsing.label(typed, base=str(base["label"]))
        label = parsing.settled_label(label, standing, label_set)
        if label_set and not label_set.allows(label):
            raise parsing.InvalidValue(
                _("“%(label)s” is not one of this retriever's labels. Choose one of them.")
                % {"label": label}
            )
        return label

    def _parse_reasoning(self, base: Mapping[str, Any]) -> str:
        reasoning = parsing.reasoning(self.cleaned_data["reasoning"], base=base["reasoning"])
        # The reasoning of before, mostly the machine's, is not why this person cannot tell.
        is_unchanged = reasoning.strip() in {"", str(base["reasoning"]).strip()}
        if self.is_submitted and self._is_undecidable() and is_unchanged:
            raise parsing.InvalidValue(_("Write why you can't tell, for the next reviewer."))
        return reasoning

    def _check_bounds(self, name: str, value: Any) -> None:
        """Refuse a value of the base that nobody may type, unless it stands here or at Mixpeek.

        One that the browser has not sent was found here by its digest.
        """
        if self._is_undecidable() or name in self.digested:
            return
        if value:
            for values in (self.annotation.values(), self.annotation.upstream):
                if is_same_json(value, values.get(name)):
                    return
        label_set = self.annotation.label_set
        if name == "label" and label_set and value in label_set.values():
            return
        check = FIELDS[name].check
        if check is not None:
            check(value)

    def _is_undecidable(self) -> bool:
        return bool(self.cleaned_data.get("outcome") == Decision.Outcome.UNDECIDABLE)


for _name in FIELDS:
    DecisionForm.base_fields[_name] = forms.CharField(required=False, strip=False)
    DecisionForm.base_fields[f"keep_{_name}"] = forms.CharField(required=False)


class AsideForm(forms.Form):
    """Why somebody skips or defers an item; the reason may stay blank."""

    reason = forms.CharField(required=False, max_length=MAX_REASON_LENGTH)


def initial_data(annotation: Annotation, *, now: datetime) -> dict[str, Any]:
    """Return the data of an untouched form.

    It starts with the annotation's values, but with a confidence and a reasoning only if a person
    gave them, and without a label where nobody has decided and the retriever's form starts empty.
    """
    given = given_by_people(annotation, annotation.changes)
    values = as_form_data(annotation.values(), given)

    label_set = annotation.label_set
    starts_empty = label_set is not None and label_set.starts_from == StartsFrom.NOTHING
    if starts_empty and annotation.status == Annotation.Status.WAITING:
        values["choice"] = ""

    return {
        **new_decision_data(annotation),
        "result_id": annotation.result_id,
        "opened": now.isoformat(),
        **values,
    }


def as_form_data(
    values: Mapping[str, Any],
    given: Collection[str],
    names: Collection[str] = FIELDS,
) -> dict[str, str]:
    """Return values as form data; a personal field is blank unless it is among those `given`."""
    blanks = {name: BLANK_VALUES[name] for name in PERSONAL_FIELDS if name not in given}
    return as_typed({**values, **blanks}, *names)


def new_decision_data(
    annotation: Annotation,
    given: Collection[str] | None = None,
) -> dict[str, Any]:
    """Return a new decision id, and the annotation as it is now as the form's base.

    `given` names the personal fields that the form holds, None for all that people gave.
    """
    if given is None:
        given = given_by_people(annotation, annotation.changes)
    return {
        "decision_id": str(uuid.uuid4()),
        "base": write_base(annotation.seen(given)),
        "base_version": annotation.version,
    }


def posted_data(post: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a posted form, without those of fields that were not touched."""
    names = DecisionForm.base_fields.keys() - _unsent_fields(post)
    return {name: post.get(name, "") for name in names}


def _unsent_fields(data: Mapping[str, Any]) -> set[str]:
    # The label is always sent: as a choice among the buttons, or as a text.
    return FIELDS.keys() - {"label"} - data.keys()


def upgraded_form_data(data: Mapping[str, Any], annotation: Annotation) -> dict[str, Any]:
    """Return the data of an old form (`DecisionForm.is_old`) with a new base.

    What its writer typed stays; the machine's words that it started with go.
    """
    old_base = read_base(str(data.get("was_base") or data["base"]), annotation)
    old_texts = as_typed(old_base, *PERSONAL_FIELDS)

    untouched = []
    for name, old_text in old_texts.items():
        # A browser sends CRLF.
        text = str(data.get(name, "")).replace("\r\n", "\n")
        if text.strip() == old_text.replace("\r\n", "\n").strip():
            untouched.append(name)

    given = given_by_people(annotation, annotation.changes)
    values = as_form_data(annotation.values(), given, untouched)
    return {**data, **new_decision_data(annotation), "was_base": "", "asked": "", **values}


def unanswered_fields(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields in conflict for which nobody has chosen whose value to keep."""
    asked = str(data.get("asked") or "").split()
    return fields_without_choice(data, [name for name in FIELDS if name in asked])
