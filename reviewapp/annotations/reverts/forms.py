"""The forms of reverting decisions: the reason, and the answer of a person concerned."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from reviewapp.storable import is_storable

_MAX_LENGTH = 500


class _StorableLine(forms.CharField):
    """A line of at most 500 characters that PostgreSQL can store."""

    def validate(self, value: str) -> None:
        """Raise `ValidationError` for characters that cannot be stored."""
        super().validate(value)
        if not is_storable(value):
            raise forms.ValidationError(_("Remove the characters that cannot be stored."))


class RevertForm(forms.Form):
    """Why decisions are reverted, and what the preview showed.

    `shown` is how many decisions the person saw: if another number matches now, they see the
    preview again.
    """

    reason = _StorableLine(
        label=_("Reason"),
        max_length=_MAX_LENGTH,
        error_messages={"required": _("Write why: the people concerned will read it.")},
    )
    shown = forms.IntegerField(min_value=0)


class AnswerForm(forms.Form):
    """What the person whose decision was reverted says to it."""

    answer = _StorableLine(label=_("Your answer"), max_length=_MAX_LENGTH)
