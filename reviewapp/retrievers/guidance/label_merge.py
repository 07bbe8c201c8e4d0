"""Two edits of one label set put together: what one side alone changed merges by itself, what both did is asked. Pure.

A label is its value, so another value is another label. Each label by itself came, stayed or went; each of its fields
was changed by nobody, by one side, or by both, and so was each setting of the decision form. The order is one thing for
the whole set: the side that alone moved labels has its order, else theirs, which is in force, stands. Labels that only
the other side has come behind the label they stood behind there, and behind what was put in that place already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reviewapp.outbox.merge import three_way
from reviewapp.retrievers.conflict_choice import THEIRS
from reviewapp.retrievers.guidance.form_settings import DEFAULT, SETTINGS, FormSettings
from reviewapp.retrievers.guidance.labels import Label

FIELDS = ("title", "description", "colour")
# Besides the fields, what may be asked: whether there is this label at all, and how all of them are ordered.
PRESENCE, ORDER = "label", "order"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What reviewers choose from: labels in their order, whether another may be written, and how their form is set.

    Without labels those in use are offered and any other may be written, whatever `other_allowed` says.
    """

    labels: tuple[Label, ...] = ()
    other_allowed: bool = True
    settings: FormSettings = DEFAULT

    def whole(self) -> Offer:
        """Return it as it is kept: without labels, any may be written."""
        return self if self.labels else replace(self, other_allowed=True)

    def by_value(self) -> dict[str, Label]:
        """Return the labels by what makes each the label it is."""
        return {label.value: label for label in self.labels}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What both sides set differently: `field` is one of `FIELDS`, `PRESENCE`, or of no label: `ORDER` or a setting."""

    field: str
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """Both sides put together; in `offer`, what is in question is as I have it."""

    offer: Offer
    questions: tuple[Question, ...] = ()


def merge(*, base: Offer, mine: Offer, theirs: Offer) -> Merged:
    """Merge `mine` and `theirs`, both made from `base`."""
    was, here, there = base.by_value(), mine.by_value(), theirs.by_value()
    kept: dict[str, Label] = {}
    questions: list[Question] = []
    for value in dict.fromkeys([*was, *here, *there]):
        label, fields = _label(value, was.get(value), here.get(value), there.get(value))
        questions += [Question(field=field, value=value) for field in fields]
        if label:
            kept[value] = label
    order, asked = _order(list(was), list(here), list(there), kept)
    questions += [Question(field=ORDER)] if asked else []
    settings = three_way(base=base.settings.values(), mine=mine.settings.values(), theirs=theirs.settings.values())
    questions += [Question(field=name) for name in settings.conflicts]
    offer = Offer(
        labels=tuple(kept[value] for value in order),
        other_allowed=_others(base, mine, theirs),
        settings=FormSettings.read(settings.values),
    )
    return Merged(offer=offer.whole(), questions=tuple(questions))


def is_open(question: Question, *, mine: Offer, theirs: Offer) -> bool:
    """Return whether both sides still differ in what is in question: a label that is gone has no title to ask about."""
    return _state(question, mine, theirs) != _state(question, theirs, mine)


def answered(mine: Offer, theirs: Offer, answers: Mapping[Question, str]) -> Offer:
    """Return mine with theirs put in wherever that is the answer."""
    labels = list(mine.labels)
    settings = mine.settings.values()
    for question in (one for one, said in answers.items() if said == THEIRS):
        if question.field in SETTINGS:
            settings[question.field] = theirs.settings.values()[question.field]
        else:
            labels = _taken(question, labels, theirs)
    return replace(mine, labels=tuple(labels), settings=FormSettings.read(settings))


def woven(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Return `first` with what only `second` has, each behind what it follows there and what only `first` has there."""
    made = list(first)
    for at, value in enumerate(second):
        if value in made:
            continue
        before = next((one for one in reversed(second[:at]) if one in made), None)
        to = made.index(before) + 1 if before is not None else 0
        while to < len(made) and made[to] not in second:
            to += 1
        made.insert(to, value)
    return made


def _label(
    value: str, was: Label | None, here: Label | None, there: Label | None
) -> tuple[Label | None, tuple[str, ...]]:
    """Return what becomes of one label, None for nothing, and the fields that are in question."""
    if here and there:
        sides = {"base": was or Label(value=value), "mine": here, "theirs": there}
        merged = three_way(**{name: {one: getattr(side, one) for one in FIELDS} for name, side in sides.items()})
        return Label(value=value, **merged.values), merged.conflicts
    one = here or there
    if was is None:
        return one, ()
    # One side took it away, or both did.
    return (None, ()) if one in (None, was) else (here, (PRESENCE,))


def _order(
    was: Sequence[str], here: Sequence[str], there: Sequence[str], kept: Mapping[str, Label]
) -> tuple[list[str], bool]:
    """Return the order of what is kept, and whether both sides moved the same labels differently."""
    shared = {*was} & {*here} & {*there} & kept.keys()
    base, mine, theirs = (_only(side, shared) for side in (was, here, there))
    asked = mine not in (base, theirs) and theirs != base
    first, second = (there, here) if mine in (base, theirs) else (here, there)
    return woven(_only(first, kept), _only(second, kept)), asked


def _others(base: Offer, mine: Offer, theirs: Offer) -> bool:
    # A set without labels says nothing about others.
    sides = [side.other_allowed if side.labels else base.other_allowed for side in (base, mine, theirs)]
    return sides[2] if sides[1] == sides[0] else sides[1]


def _only(values: Sequence[str], kept: Iterable[str]) -> list[str]:
    held = set(kept)
    return [value for value in values if value in held]


def _state(question: Question, one: Offer, other: Offer) -> object:
    if question.field in SETTINGS:
        return one.settings.values()[question.field]
    here, there = one.by_value(), other.by_value()
    if question.field == ORDER:
        return _only(list(here), there)
    if question.field == PRESENCE:
        return here.get(question.value)
    both = question.value in here and question.value in there
    return getattr(here[question.value], question.field) if both else None


def _taken(question: Question, labels: list[Label], theirs: Offer) -> list[Label]:
    held, there = {label.value: label for label in labels}, theirs.by_value()
    value = question.value
    if question.field == ORDER:
        return [held[one] for one in woven(_only(list(there), held), list(held))]
    if question.field == PRESENCE:
        if value not in there:
            return [label for label in labels if label.value != value]
        held[value] = there[value]
        return [held[one] for one in woven([label.value for label in labels], _only(list(there), held))]
    if value in held and value in there:
        held[value] = replace(held[value], **{question.field: getattr(there[value], question.field)})
    return list(held.values())
