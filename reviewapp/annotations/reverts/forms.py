"""The forms of reverting decisions: the reason, and the answer of a person concerned."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

_MAX_LENGTH = 500


class ReasonForm(forms.Form):
    """Why decisions are reverted."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=_MAX_LENGTH,
        error_messages={"required": _("Write why: the people concerned will read it.")},
    )


class RevertForm(ReasonForm):
    """Why the decisions of a preview are reverted.

    `shown` is the digest of the decisions that the person saw (`services.digest`): if others match
    now, they see the preview again.
    """

    shown = forms.CharField(required=False)


class AnswerForm(forms.Form):
    """What the person whose decision was reverted says to it."""

    answer = forms.CharField(label=_("Your answer"), max_length=_MAX_LENGTH)
