"""Forms in which people say how they like to work, and admins who may work here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.http import QueryDict

from reviewapp.accounts.models import User
from reviewapp.accounts.people.keymap import Key, clashes, good_key
from reviewapp.accounts.roles import PERMISSIONS
from reviewapp.accounts.services import Preferences
from reviewapp.web.one_time_forms import OnceForm


class ThemeForm(forms.Form):
    """The theme alone."""

    theme = forms.ChoiceField(choices=User.Theme.choices)


class KeyField(forms.CharField):
    """One key; blank is the action's own."""

    def __init__(self, key: Key, initial: str) -> None:
        attrs = {"maxlength": 1, "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        widget = forms.TextInput(attrs={**attrs, "placeholder": key.single, "class": "form-control key-input"})
        super().__init__(label=key.sentence, required=False, strip=True, initial=initial, widget=widget)

    def clean(self, value: Any) -> str:
        """Return the key in the spelling of a key map, "" for none."""
        typed: str = super().clean(value)
        try:
            return good_key(typed) if typed else ""
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class PreferencesForm(forms.Form):
    """Everything on the preferences page; `wanted` is what was chosen, once the form is valid."""

    theme = forms.ChoiceField(choices=User.Theme.choices, widget=forms.RadioSelect)
    single_keys = forms.BooleanField(label="Use single-key shortcuts", required=False)
    blur_media = forms.BooleanField(label="Blur media until I ask for it", required=False)
    greyscale_media = forms.BooleanField(label="Show media without colours", required=False)
    mute_media = forms.BooleanField(label="Start audio and video muted", required=False)
    undo_seconds = forms.IntegerField(
        label="Seconds to undo a decision",
        required=False,
        min_value=0,
        max_value=60,
        error_messages={"invalid": "This is a whole number from 0 to 60, or blank."},
    )

    def __init__(self, data: QueryDict | None, *, user: User, keys: Sequence[Key]) -> None:
        super().__init__(data, initial={name: getattr(user, name) for name in self.base_fields})
        self._keys = keys
        for key in keys:
            self.fields[f"key_{key.action}"] = KeyField(key, str(user.key_map.get(key.action, "")))

    def key_fields(self) -> list[BoundField]:
        """Return the fields of the keys, in the order of the table."""
        return [self[f"key_{key.action}"] for key in self._keys]

    def clean(self) -> dict[str, Any]:
        """Refuse one key for two actions."""
        for action, sentence in clashes(self._key_map(), self._keys).items():
            self.add_error(f"key_{action}", sentence)
        return self.cleaned_data

    @property
    def wanted(self) -> Preferences:
        """What was chosen, for `services.save_preferences`."""
        chosen = {name: self.cleaned_data[name] for name in self.base_fields}
        return Preferences(**chosen, key_map=self._key_map())

    def _key_map(self) -> dict[str, str]:
        typed = {key: self.cleaned_data.get(f"key_{key.action}", "") for key in self._keys}
        return {key.action: chosen for key, chosen in typed.items() if chosen and chosen != key.single}


class SearchForm(forms.Form):
    """What to look for among people."""

    search = forms.CharField(label="Search by name or address", max_length=200, required=False)

    @property
    def status(self) -> int:
        """Return how the page is to be answered."""
        return 200 if self.is_valid() else 422


class RoleForm(forms.Form):
    """The one role of a person, or none."""

    role = forms.ChoiceField(
        label="Role",
        required=False,
        widget=forms.RadioSelect,
        choices=[*((role, role) for role in PERMISSIONS), ("", "none")],
    )


class InviteForm(OnceForm):
    """Whom to invite, as what."""

    email = forms.EmailField(label="Email address")
    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect, choices=[(role, role) for role in PERMISSIONS])

    def clean_email(self) -> str:
        """Refuse the address of somebody who is here already."""
        email: str = self.cleaned_data["email"]
        if User.people.with_login(email).exists():
            raise forms.ValidationError(f"Somebody here has the address {email} already: look for it in the list.")
        return email


class NewPasswordForm(forms.Form):
    """A password, typed twice; the rules are looked at by the service, which knows whose it is."""

    password1 = forms.CharField(label="Password", strip=False, max_length=1000)
    password2 = forms.CharField(label="Password, again", strip=False, max_length=1000, required=False)

    def clean(self) -> dict[str, Any]:
        """Refuse two that differ."""
        first, second = self.cleaned_data.get("password1"), self.cleaned_data.get("password2")
        if first and first != second and "password2" not in self.errors:
            self.add_error("password2", "The two passwords differ." if second else "Type the same password here again.")
        if "password1" in self.errors:
            self.errors.pop("password2", None)
        self._ask_again()
        return self.cleaned_data

    def refuse(self, error: ValidationError) -> None:
        """Show at its field what the service refused; what names no field is about the password.

        Of several things wrong with one field the first is said: they are mostly one fault (`12345678` is both common
        and all digits), and what a password must be stands beside it.
        """
        told = error.error_dict if hasattr(error, "error_dict") else {"password1": error.error_list}
        for name, found in told.items():
            self.add_error(name if name in self.fields else None, found[:1])
        self._ask_again()

    def _ask_again(self) -> None:
        """Say, once, that both passwords are to be typed anew where something else is wrong: no page holds them."""
        if "password1" in self.errors or not set(self.errors) - {"password2"}:
            return
        self.errors.pop("password2", None)
        self.add_error("password1", "Type your password again, here and below.")


class JoinForm(NewPasswordForm):
    """Name and password of somebody who was invited."""

    username = forms.CharField(label="Username", max_length=150)

    field_order = ["username", "password1", "password2"]
