"""Forms in which people say how they like to work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict

from reviewapp.accounts.keymap import Key, clashes, good_key
from reviewapp.accounts.models import User
from reviewapp.accounts.services import Preferences


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
