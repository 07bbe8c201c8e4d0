"""allauth's forms for a code, changed so that a code of an authenticator app works only once.

https://datatracker.ietf.org/doc/html/rfc6238#section-5.2
"""

from __future__ import annotations

from allauth.core import context
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.core.exceptions import ValidationError
from django.db import transaction

from reviewapp.accounts.sign_in import failure_limits


def use_totp_code(authenticator: Authenticator, code: str) -> bool:
    """Mark the code as used; return False if this code, or a later one, was used before.

    allauth remembers a used code for half a minute, which is shorter than a code is valid.
    """
    with transaction.atomic():
        locked = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        secret = decrypt(locked.data["secret"])

        # The number of the code's half minute; 0 if the code is not valid.
        counter = 0
        for valid_counter in totp.yield_hotp_counters_from_time():
            expected = totp.format_hotp_value(totp.hotp_value(secret, valid_counter))
            if compare_user_code(actual=code, expected=expected):
                counter = max(counter, valid_counter)

        if counter <= locked.data.get("last_counter", 0):
            return False

        locked.data["last_counter"] = counter
        locked.save(update_fields=["data"])
    return True


class _SingleUse:
    def clean_code(self) -> str:
        """Return the code and mark it as used.

        A code has six digits, so wrong ones are counted over an hour too: at five a minute, a
        guesser who knows the password would hit within weeks.
        """
        request = context.request
        username = self.user.get_username()  # type: ignore[attr-defined]
        if failure_limits.is_exhausted(request, failure_limits.CODE, username):
            raise get_adapter().validation_error("too_many_codes")

        try:
            code: str = super().clean_code()  # type: ignore[misc]
            authenticator: Authenticator = self.authenticator  # type: ignore[attr-defined]
            is_totp = authenticator.type == Authenticator.Type.TOTP
            if is_totp and not use_totp_code(authenticator, code):
                raise get_adapter().validation_error("incorrect_code")
        except ValidationError as error:
            if error.code == "incorrect_code":
                failure_limits.count_failure(request, failure_limits.CODE, username)
            raise
        return code


class AuthenticateWithCode(_SingleUse, AuthenticateForm):  # type: ignore[misc]
    """Takes a code as the second factor at sign-in."""


class ReauthenticateWithCode(_SingleUse, ReauthenticateForm):  # type: ignore[misc]
    """Takes a code from a person who is signed in and has to confirm it."""
