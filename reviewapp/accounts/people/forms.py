"""Forms for preferences, for the people page, and for joining."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from reviewapp.accounts.models import User
from reviewapp.accounts.people.keymap import KeyMapEntry, find_conflicts, parse_key
from reviewapp.accounts.roles import PERMISSIONS
from reviewapp.accounts.services import Preferences
from reviewapp.web.filters import FilterForm
from reviewapp.web.one_time_forms import OneTimeForm


class ThemeForm(forms.Form):
    """The theme alone."""

    theme = forms.ChoiceField(choices=User.Theme.choices)


class KeyField(forms.CharField):
    """One key; blank means the default of the action."""

    def __init__(self, key: KeyMapEntry, initial: str) -> None:
        attrs = {
            "maxlength": 1,
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
            "placeholder": key.single,
            "class": "input key-input",
        }
        super().__init__(
            label=key.sentence,
            required=False,
            strip=True,
            initial=initial,
            widget=forms.TextInput(attrs=attrs),
        )

    def clean(self, value: Any) -> str:
        """Return the key in the form of a key map; "" for none."""
        text: str = super().clean(value)
        if not text:
            return ""
        try:
            return parse_key(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class PreferencesForm(forms.Form):
    """The form of the preferences page; `preferences` holds the values of a valid form."""

    theme = forms.ChoiceField(choices=User.Theme.choices, widget=forms.RadioSelect)
    single_keys = forms.BooleanField(label=_("Use single-key shortcuts"), required=False)
    blur_media = forms.BooleanField(label=_("Blur media until I reveal it"), required=False)
    greyscale_media = forms.BooleanField(label=_("Show media without colours"), required=False)
    mute_media = forms.BooleanField(label=_("Start audio and video muted"), required=False)
    undo_seconds = forms.IntegerField(
        label=_("Seconds to undo a decision"),
        required=False,
        min_value=0,
        max_value=60,
        error_messages={"invalid": _("Enter a whole number from 0 to 60, or leave it empty.")},
    )

    def __init__(self, data: QueryDict | None, *, user: User, keys: Sequence[KeyMapEntry]) -> None:
        initial = {name: getattr(user, name) for name in self.base_fields}
        super().__init__(data, initial=initial)
        self._keys = keys
        for key in keys:
            self.fields[f"key_{key.action}"] = KeyField(key, str(user.key_map.get(key.action, "")))

    def key_fields(self) -> list[BoundField]:
        """Return the fields of the keys, in the order of the key table."""
        return [self[f"key_{key.action}"] for key in self._keys]

    def clean(self) -> dict[str, Any]:
        """Reject a key that two actions would share."""
        for action, message in find_conflicts(self._key_map(), self._keys).items():
            self.add_error(f"key_{action}", message)
        return self.cleaned_data

    @property
    def preferences(self) -> Preferences:
        """The values for `services.save_preferences`."""
        values = {name: self.cleaned_data[name] for name in self.base_fields}
        return Preferences(**values, key_map=self._key_map())

    def _key_map(self) -> dict[str, str]:
        key_map = {}
        for key in self._keys:
            chosen = self.cleaned_data.get(f"key_{key.action}", "")
            if chosen and chosen != key.single:
                key_map[key.action] = chosen
        return key_map


class SearchForm(FilterForm):
    """The search words of the people page."""

    search = forms.CharField(label=_("Search by name or address"), max_length=200, required=False)

    @property
    def status(self) -> int:
        """The HTTP status of the page."""
        if self.is_valid():
            return 200
        return 422


_ROLE_CHOICES = [(role, role) for role in PERMISSIONS]


class RoleForm(forms.Form):
    """The role of a person, or none."""

    role = forms.ChoiceField(
        label=_("Role"),
        required=False,
        widget=forms.RadioSelect,
        choices=[*_ROLE_CHOICES, ("", _("none"))],
    )


class InviteForm(OneTimeForm):
    """The address and the role of an invitation."""

    email = forms.EmailField(label=_("Email address"))
    role = forms.ChoiceField(
        label=_("Role"),
        widget=forms.RadioSelect,
        choices=_ROLE_CHOICES,
    )

    def clean_email(self) -> str:
        """Reject the address of an existing person."""
        email: str = self.cleaned_data["email"]
        if User.people.with_login(email).exists():
            raise forms.ValidationError(
                _("Somebody already has the address %(email)s. Find them under People."),
                params={"email": email},
            )
        return email


class NewPasswordForm(forms.Form):
    """A password, typed twice; the service validates it, because it knows the person."""

    password1 = forms.CharField(label=_("Password"), strip=False, max_length=1000)
    password2 = forms.CharField(
        label=_("Password, again"),
        strip=False,
        max_length=1000,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Reject two passwords that differ."""
        first = self.cleaned_data.get("password1")
        second = self.cleaned_data.get("password2")
        if first and first != second and "password2" not in self.errors:
            message = _("The two passwords differ.")
            if not second:
                message = _("Enter the same password again.")
            self.add_error("password2", message)

        if "password1" in self.errors:
            self.errors.pop("password2", None)
        self._ask_to_retype()
        return self.cleaned_data

    def refuse(self, error: ValidationError) -> None:
        """Add the service's errors to their fields; an error without a field is about the password.

        Each field gets only its first error: several are mostly about one mistake (`12345678` is
        both common and all digits), and the page shows the rules for passwords anyway.
        """
        errors_by_field = getattr(error, "error_dict", None)
        if errors_by_field is None:
            errors_by_field = {"password1": error.error_list}

        for name, errors in errors_by_field.items():
            field_name = None
            if name in self.fields:
                field_name = name
            self.add_error(field_name, errors[:1])
        self._ask_to_retype()

    def _ask_to_retype(self) -> None:
        """Ask for both passwords again if another field is wrong: no page contains passwords."""
        has_other_errors = bool(set(self.errors) - {"password2"})
        if "password1" in self.errors or not has_other_errors:
            return

        self.errors.pop("password2", None)
        self.add_error("password1", _("Enter your password again, here and below."))


class JoinForm(NewPasswordForm):
    """The username and password of an invited person."""

    username = forms.CharField(label=_("Username"), max_length=150)

    field_order = ["username", "password1", "password2"]
