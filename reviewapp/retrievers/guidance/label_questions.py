"""What the label editor asks when somebody was faster, and what was done about the rest, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reviewapp.retrievers.conflict_choice import UNCHOSEN, Keep
from reviewapp.retrievers.guidance.form_settings import SETTINGS, TITLES
from reviewapp.retrievers.guidance.label_merge import FIELDS, ORDER, PRESENCE, Offer, Question, is_open
from reviewapp.retrievers.guidance.labels import MOST_LABELS, Label

# Questions about the whole set rather than one label.
_OF_THE_SET = [Question(field=name) for name in (ORDER, *SETTINGS)]
_MOST = MOST_LABELS * len(FIELDS) * 3


def key_of(question: Question) -> str:
    """Return how a form names a question."""
    return f"{question.field}:{question.value}"


def read(keys: Iterable[str]) -> list[Question]:
    """Return the questions that a form says it asked; what is none is passed over."""
    pairs = (key.partition(":") for key in list(dict.fromkeys(keys))[:_MOST])
    found = [Question(field=field, value=value) for field, _, value in pairs]
    return [one for one in found if one.field in FIELDS or one.field == PRESENCE or one in _OF_THE_SET]


def keeps(
    questions: Sequence[Question], *, base: Offer, mine: Offer, theirs: Offer, chosen: Mapping[str, str]
) -> dict[Question, Keep]:
    """Return those of `questions` that are still open as they are shown; `chosen` is what was picked, by field name."""
    asked = [one for one in questions if is_open(one, mine=mine, theirs=theirs)]
    return {
        question: Keep(
            key=key_of(question),
            name=f"keep_{at}",
            legend=_legend(question),
            base=_told(question, base),
            mine=_told(question, mine),
            theirs=_told(question, theirs),
            chosen=chosen.get(key_of(question), ""),
        )
        for at, question in enumerate(asked)
    }


def refused(asked: Mapping[Question, Keep]) -> dict[Question, Keep]:
    """Return the same with a sentence at each that is not answered."""
    return {one: keep if keep.is_answered else replace(keep, wrong=UNCHOSEN) for one, keep in asked.items()}


def settled(*, base: Offer, mine: Offer, theirs: Offer) -> list[str]:
    """Return in a sentence for each kind of change what one side alone did, theirs first: it merged by itself."""
    here, there = dict(_done(base, mine)), dict(_done(base, theirs))
    return [
        *(f"Only they {done}: taken over." for done in _together(_alone(there, here))),
        *(f"Only you {done}: that stands." for done in _together(_alone(here, there))),
    ]


def differences(now: Offer, then: Offer) -> dict[str, list[str | None]]:
    """Return what would be different if `then` stood instead of `now`, as pairs by what it is about."""
    was, would = now.by_value(), then.by_value()
    sides = {True: "allowed", False: "not allowed"}
    found: dict[str, list[str | None]] = {
        f"“{value}”": [_whole(one) if one else None for one in (was.get(value), would.get(value))]
        for value in dict.fromkeys([*was, *would])
    }
    found["order"] = [
        ", ".join(value for value in one if value in other) for one, other in ((was, would), (would, was))
    ]
    found["other labels"] = [sides[now.other_allowed], sides[then.other_allowed]]
    for name in SETTINGS:
        found[TITLES[name].lower()] = [_told(Question(field=name), one) for one in (now, then)]
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def _done(base: Offer, side: Offer) -> Iterator[tuple[Question, tuple[str, str]]]:
    """Yield what a side did to `base`, as a verb and the label it did it to, each by what it is about."""
    was, now = base.by_value(), side.by_value()
    for value in dict.fromkeys([*was, *now]):
        if value not in was or value not in now:
            yield Question(field=PRESENCE, value=value), ("added" if value in now else "removed", value)
            continue
        for name in FIELDS:
            if getattr(was[value], name) != getattr(now[value], name):
                yield Question(field=name, value=value), (f"changed the {name} of", value)
    if [value for value in was if value in now] != [value for value in now if value in was]:
        yield Question(field=ORDER), ("changed the order", "")
    if was and now and base.other_allowed != side.other_allowed:
        yield Question(field="others"), ("allowed other labels" if side.other_allowed else "allowed no others", "")
    for name, value in side.settings.values().items():
        if value != base.settings.values()[name]:
            yield Question(field=name), (f"set “{TITLES[name]}” to “{value.label}”", "")


def _alone(one: Mapping[Question, tuple[str, str]], other: Mapping[Question, tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what one side did where the other did nothing; a label that the other took away is in question."""
    gone = {question.value for question in other if question.field == PRESENCE}
    touched = {question.value for question in other if question.field in FIELDS}
    return [
        done
        for question, done in one.items()
        if question not in other
        and question.value not in gone
        and not (question.field == PRESENCE and question.value in touched)
    ]


def _together(done: Iterable[tuple[str, str]]) -> list[str]:
    """Return what was done with the labels it was done to named together: added “a”, “b”."""
    by_verb: dict[str, list[str]] = {}
    for verb, value in done:
        by_verb.setdefault(verb, []).extend([f"“{value}”"] if value else [])
    return [f"{verb} {', '.join(named)}".strip() for verb, named in by_verb.items()]


def _legend(question: Question) -> str:
    if question.field == ORDER:
        return "The order of the labels"
    if question.field in SETTINGS:
        return TITLES[question.field]
    about = "The label" if question.field == PRESENCE else question.field.capitalize() + " of"
    return f"{about} “{question.value}”"


def _told(question: Question, side: Offer) -> str:
    if question.field == ORDER:
        return ", ".join(label.shown for label in side.labels)
    if question.field in SETTINGS:
        return str(side.settings.values()[question.field].label)
    label = side.by_value().get(question.value)
    if question.field == PRESENCE:
        return _whole(label) if label else "not among the labels"
    return str(getattr(label, question.field)) if label else ""


def _whole(label: Label) -> str:
    said = [label.value, label.title, label.description, "" if label.colour == "none" else label.colour]
    return " · ".join(filter(None, said))
