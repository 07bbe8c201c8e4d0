"""allauth's forms for passkeys, with a validation error for malformed input that crashes theirs."""

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
from django.utils.translation import gettext_lazy as _

# The errors that fido2 raises for JSON of an unexpected shape.
_MALFORMED = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    ObjectDoesNotExist,
)
_NO_PASSKEY = _("This is not one of your passkeys. Try again.")


class Credential(forms.JSONField):
    """The JSON response of a passkey; JSON that is nested too deeply is a validation error."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """Return the parsed response."""
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise ValidationError(_NO_PASSKEY) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return the response to show again; None if it cannot be parsed."""
        try:
            return super().bound_data(data, initial)
        except RecursionError:
            return None


class _CredentialCheck:
    def clean_credential(self) -> Any:
        """Return the passkey that the response proves."""
        try:
            return super().clean_credential()  # type: ignore[misc]
        except _MALFORMED as error:
            raise ValidationError(_NO_PASSKEY) from error


class Add(AddWebAuthnForm):  # type: ignore[misc]
    """Registers a passkey."""

    credential = Credential()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"initial": {"name": _("My passkey")}})
        self.fields["passwordless"].label = _("Sign in with this passkey alone")

    def clean(self) -> dict[str, Any]:
        """Return the data of the new passkey."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except _MALFORMED as error:
            raise ValidationError(_NO_PASSKEY) from error
        return cleaned


class AuthenticateWithPasskey(_CredentialCheck, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """Takes a passkey as the second factor."""

    credential = Credential()


class Login(_CredentialCheck, LoginWebAuthnForm):  # type: ignore[misc]
    """Takes a passkey instead of name and password."""

    credential = Credential()


class ReauthenticateWithPasskey(_CredentialCheck, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Takes a passkey from a person who is signed in and has to confirm it."""

    credential = Credential()
