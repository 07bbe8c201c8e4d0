"""allauth's forms for passkeys, which answer a sentence to what no browser sends, where theirs would fail."""

from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.exceptions import ObjectDoesNotExist, ValidationError

# What fido2 raises over JSON of another shape than it takes for granted.
_MALFORMED = (KeyError, ValueError, TypeError, AttributeError, IndexError, ObjectDoesNotExist)
_NO_PASSKEY = "That did not come from a passkey of yours. Try again."


class Credential(forms.JSONField):
    """What a passkey answers: JSON, refused in a sentence when it is nested deeper than Python reads."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """Return the parsed answer."""
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise ValidationError(_NO_PASSKEY) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return the answer to be shown again, nothing for one that cannot be read."""
        try:
            return super().bound_data(data, initial)
        except RecursionError:
            return None


class _Proving:
    def clean_credential(self) -> Any:
        """Return the passkey that this proves to be at hand."""
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _MALFORMED as error:
            raise ValidationError(_NO_PASSKEY) from error


class Add(AddWebAuthnForm):  # type: ignore[misc]
    """Registers a passkey."""

    credential = Credential()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"initial": {"name": "My passkey"}})
        self.fields["passwordless"].label = "Sign in with it alone"

    def clean(self) -> dict[str, Any]:
        """Return what is to be registered."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except _MALFORMED as error:
            raise ValidationError(_NO_PASSKEY) from error
        return cleaned


class Authenticate(_Proving, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """Takes a passkey as the second factor."""

    credential = Credential()


class Login(_Proving, LoginWebAuthnForm):  # type: ignore[misc]
    """Takes a passkey in place of name and password."""

    credential = Credential()


class Reauthenticate(_Proving, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Takes a passkey once more."""

    credential = Credential()
