"""Encrypt the secrets of second factors with a key derived from `SECRET_KEY`.

The secrets are the key of an authenticator app and the seed of recovery codes. Of a passkey, only
the public key is stored.
"""

from __future__ import annotations

import base64
import logging
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

_SALT = "reviewapp.accounts.factors"
_SECRET_FIELDS = ("secret", "seed")
_UNREADABLE = _(
    "Codes of your app and recovery codes no longer work, because this site's key was changed. Ask "
    "an admin to remove your second factor, then set up a new one."
)

_log = logging.getLogger(__name__)


class Factors(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's adapter with encrypted secrets and our own error messages."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _(
            "This code is wrong or was already used. Enter the next one that your app shows."
        ),
        "too_many_codes": _(
            "Too many wrong codes for this account. Use a passkey, or a browser in which you were "
            "signed in before, or try again in an hour."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Return the text, encrypted with the key derived from the current `SECRET_KEY`."""
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the decrypted text; raises ValidationError if its key is unknown."""
        try:
            return _keys().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            _log.warning(
                "a second factor cannot be read: neither SECRET_KEY nor SECRET_KEY_FALLBACKS "
                "encrypted it"
            )
            raise ValidationError(_UNREADABLE) from error


def encrypted(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a factor with its secrets encrypted with the current key.

    Raises InvalidToken if the key of an encrypted secret is unknown.
    """
    secrets = {name: _encrypt(data[name]) for name in _SECRET_FIELDS if name in data}
    if "migrated_codes" in data:
        secrets["migrated_codes"] = [_encrypt(code) for code in data["migrated_codes"]]
    return data | secrets


def reencrypt(authenticator: Authenticator) -> bool:
    """Encrypt the factor with the current key; return False if it cannot be decrypted."""
    with transaction.atomic():
        locked = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        try:
            locked.data = encrypted(locked.data)
        except InvalidToken:
            return False
        locked.save(update_fields=["data"])
    return True


def _encrypt(text: str) -> Any:
    keys = _keys()
    # Every Fernet token starts like this; no Base32 key, hexadecimal seed or recovery code does.
    if text.startswith("gAAAAA"):
        return keys.rotate(text.encode()).decode()
    return keys.encrypt(text.encode()).decode()


def _keys() -> MultiFernet:
    """Return the current key, which encrypts, and the earlier keys, which only decrypt."""
    keys = []
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        derived = salted_hmac(_SALT, "", secret=secret, algorithm="sha256").digest()
        keys.append(Fernet(base64.urlsafe_b64encode(derived)))
    return MultiFernet(keys)
