"""What a person says about a new token."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from reviewapp.api.models import ApiToken
from reviewapp.api.tokens import DEFAULT_DAYS, MAX_DAYS
from reviewapp.web.one_time_forms import OneTimeForm


class TokenForm(OneTimeForm):
    """What the token is for, what it may do, how long."""

    name = forms.CharField(label=_("Name"), max_length=100)
    scope = forms.ChoiceField(
        label=_("Scope"),
        choices=ApiToken.Scope.choices,
        widget=forms.RadioSelect,
    )
    days = forms.IntegerField(
        label=_("Days until it expires"),
        min_value=1,
        max_value=MAX_DAYS,
        initial=DEFAULT_DAYS,
    )
