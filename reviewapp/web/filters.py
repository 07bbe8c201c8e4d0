"""The filters of a list: read from a query string, and written back into the links of its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Value
from django.db.models.functions import Lower, StrIndex
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.json_values import number_text
from reviewapp.web.http import parse_whole_number, parse_whole_numbers

# A filter offers no more people, retrievers or tags. More are completed as they are typed.
MAX_CHOICES = 500
MAX_COMPLETIONS = 20
# Metadata of a field that says something about a filter and is no part of it.
NOT_A_PARAMETER = {"is_parameter": False}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Base of the filters of a list; every field has a default, which links leave out."""

    @property
    def is_narrowed(self) -> bool:
        """Return whether the filter differs from the default one."""
        return self != type(self)()

    def parameters(self, **changes: Any) -> dict[str, str | list[str]]:
        """Return the parameters of a query string for this filter with `changes`."""
        parameters: dict[str, str | list[str]] = {}
        for field in fields(self):
            value = changes.pop(field.name, getattr(self, field.name))
            if value != field.default and field.metadata != NOT_A_PARAMETER:
                parameters[field.name] = _as_text(value)

        for name, value in changes.items():
            parameters[name] = _as_text(value)
        return {name: text for name, text in parameters.items() if text}

    def querystring(self, **changes: Any) -> str:
        """Return `?...` for this filter with `changes`, or "" if all are defaults."""
        parameters = self.parameters(**changes)
        return f"?{urlencode(parameters, doseq=True)}" if parameters else ""


class Choice(forms.CharField):
    """A field for one of some choices, each a value and its title (may be lazy); always optional.

    Django's `ChoiceField` takes a millisecond to set a hundred choices, and a form has new ones for
    each request.
    """

    def __init__(self, *, label: Any, choices: Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(label=label, required=False)
        self.choices = list(choices)

    def validate(self, value: str) -> None:
        """Raise `ValidationError` for a value that is no choice."""
        super().validate(value)
        _require_choice(value, dict(self.choices))


class Choices(forms.Field):
    """A field for any number of some choices, as a tuple of their values; always optional."""

    widget = forms.SelectMultiple

    def __init__(self, *, label: Any) -> None:
        super().__init__(label=label, required=False)
        self.choices: list[tuple[str, Any]] = []

    def to_python(self, value: Any) -> tuple[str, ...]:
        """Return the chosen values, each once and without blanks."""
        return tuple(dict.fromkeys(filter(None, value or ())))

    def validate(self, value: Sequence[str]) -> None:
        """Raise `ValidationError` for a value that is no choice."""
        super().validate(value)
        offered = dict(self.choices)
        for chosen in value:
            _require_choice(chosen, offered)


def _require_choice(value: str, offered: Collection[str]) -> None:
    if value and value not in offered:
        raise ValidationError(
            forms.ChoiceField.default_error_messages["invalid_choice"],
            code="invalid_choice",
            params={"value": value},
        )


class ZoneField(forms.CharField):
    """A field for the name of the reader's time zone; UTC for one that is not known here."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=100)

    def clean(self, value: Any) -> str:
        """Return the name of a time zone that is known."""
        name: str = super().clean(value)
        return name if name in available_timezones() else "UTC"


class FilterForm(forms.Form):
    """Base of the forms that parse filters.

    Each field is validated alone, so that one invalid value spoils no other. A page either ignores
    the invalid ones (`values`) or refuses them all (`is_valid`).
    """

    def values(self) -> dict[str, Any]:
        """Return the valid values that are not empty."""
        self.is_valid()
        values = {}
        for name, value in self.cleaned_data.items():
            if value not in ("", None, ()):
                values[name] = value
        return values

    def errors_by_label(self) -> dict[str, str]:
        """Return what is wrong with the invalid values, by the label of their field."""
        sentences = {}
        for name, errors in self.errors.items():
            sentences[str(self[name].label)] = " ".join(map(str, errors))
        return sentences

    def set_choices(self, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
        """Set the choices of a field, which are read from the database for each request."""
        field = self.fields[name]
        assert isinstance(field, Choice | Choices)
        field.choices = [(str(value), str(title)) for value, title in choices]


# The outermost years cannot be converted between time zones.
_FIRST_YEAR = 1970
_LAST_YEAR = 9998


class TimeSpanForm(FilterForm):
    """Base of the forms with a span of time."""

    since = forms.DateTimeField(label=gettext_lazy("From"), required=False)
    until = forms.DateTimeField(label=gettext_lazy("Until"), required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse a time span that ends before it starts, and years out of range."""
        for name in ("since", "until"):
            at = self.cleaned_data.get(name)
            if at and not _FIRST_YEAR <= at.year <= _LAST_YEAR:
                years = {"first": _FIRST_YEAR, "last": _LAST_YEAR}
                self.add_error(name, _("Use a year from %(first)s to %(last)s.") % years)

        since = self.cleaned_data.get("since")
        until = self.cleaned_data.get("until")
        if since and until and until <= since:
            self.add_error("until", _("Choose an end after the start."))
        return self.cleaned_data


def distinct_choices(rows: Sequence[tuple[Any, str, str]]) -> list[tuple[Any, str]]:
    """Return (key, title) for each (key, title, id); the id follows titles that are not unique."""
    counts = Counter(title for _key, title, _id in rows)
    choices = []
    for key, title, identifier in rows:
        is_unique = counts[title] == 1
        choices.append((key, title if is_unique else f"{title} ({identifier})"))
    return choices


def with_chosen(
    choices: Iterable[tuple[Any, Any]],
    chosen: str,
    find: Callable[[str], tuple[Any, Any] | None],
) -> list[tuple[Any, Any]]:
    """Return the choices, and the chosen one too: a list offers only so many.

    `find` returns the choice of a value, None if there is none.
    """
    offered = list(choices)
    if not chosen or any(str(value) == chosen for value, _title in offered):
        return offered
    choice = find(chosen)
    return [*offered, choice] if choice else offered


def offered_people(chosen: Iterable[str]) -> list[tuple[Any, Any]]:
    """Return the first people by name as choices, and those with the chosen keys too."""
    people = get_user_model().objects.order_by("username").values_list("pk", "username")
    return with_chosen_people(list(people[:MAX_CHOICES]), chosen)


def with_chosen_people(
    choices: Iterable[tuple[Any, Any]],
    chosen: Iterable[str],
) -> list[tuple[Any, Any]]:
    """Return the choices, and the people with the chosen keys too. One query at most."""
    offered = list(choices)
    missing = parse_whole_numbers(chosen) - dict(offered).keys()
    if missing:
        people = get_user_model().objects.filter(pk__in=missing).order_by("username")
        offered += people.values_list("pk", "username")
    return offered


def complete_person(text: str) -> list[tuple[Any, str]]:
    """Return the choices of the first people whose names hold `text`."""
    people = get_user_model().objects.filter(username__icontains=text)
    names = people.order_by(*name_order("username", text)).values_list("pk", "username")
    return list(names[:MAX_COMPLETIONS])


def name_order(column: str, text: str) -> tuple[Any, ...]:
    """Return an order of names that hold `text`: what begins with it first, else by name."""
    return StrIndex(Lower(column), Lower(Value(text))), column, "pk"


def find_person(key: str) -> tuple[int, str] | None:
    """Return the choice of the person with this key."""
    number = parse_whole_number(key)
    if number is None:
        return None
    people = get_user_model().objects.filter(pk=number)
    return people.values_list("pk", "username").first()


def _as_text(value: Any) -> str | list[str]:
    if isinstance(value, tuple):
        return [str(part) for part in value]
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S")
    return str(value or "")
