"""allauth's forms for a code, where a code of an authenticator app is good once.

https://datatracker.ietf.org/doc/html/rfc6238#section-5.2
"""

from __future__ import annotations

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.db import transaction


def use_totp_code(authenticator: Authenticator, code: str) -> bool:
    """Use the code up; return False when it, or one that the app showed later, was used before.

    allauth remembers a code in the cache for half a minute, which is less than the time for which it takes one.
    """
    with transaction.atomic():
        locked = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        last_counter = locked.data.get("last_counter", 0)
        counter = _counter_of(code, secret=decrypt(locked.data["secret"]))

        if counter <= last_counter:
            return False

        locked.data["last_counter"] = counter
        locked.save(update_fields=["data"])
    return True


def _counter_of(code: str, *, secret: str) -> int:
    """Return the number of the half minute that the code is of, 0 when it is of none that counts today."""
    counters = [
        counter
        for counter in totp.yield_hotp_counters_from_time()
        if compare_user_code(actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, counter)))
    ]
    return max(counters, default=0)


class _UsedOnce:
    def clean_code(self) -> str:
        """Return the code, used up."""
        code: str = super().clean_code()  # type: ignore[misc]
        authenticator: Authenticator = self.authenticator  # type: ignore[attr-defined]

        if authenticator.type == Authenticator.Type.TOTP and not use_totp_code(authenticator, code):
            raise get_adapter().validation_error("incorrect_code")
        return code


class Authenticate(_UsedOnce, AuthenticateForm):  # type: ignore[misc]
    """Takes a code as the second factor at sign-in."""


class Reauthenticate(_UsedOnce, ReauthenticateForm):  # type: ignore[misc]
    """Takes a code once more from somebody who is signed in."""
