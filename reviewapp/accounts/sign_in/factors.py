"""How second factors are kept: what is secret of them is encrypted with a key that follows from `SECRET_KEY`.

Secret are the key of an authenticator app and the seed of recovery codes. Of a passkey only the public key is here.
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

_SALT = "reviewapp.accounts.factors"
_SECRETS = ("secret", "seed")
_UNREADABLE = (
    "Your app and your recovery codes cannot be checked any more, because this site's key was changed. Ask an admin of "
    "your team to take your second factor away, then set up a new one."
)

_log = logging.getLogger(__name__)


class Factors(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's own behaviour, in our words, with secrets encrypted at rest."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That code does not fit, or it was used before. Type the next one that your app shows.",
    }

    def encrypt(self, text: str) -> str:
        """Return the text encrypted with the key that follows from today's `SECRET_KEY`."""
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the text; raises ValidationError when it was encrypted with a key that we do not have any more."""
        try:
            return _keys().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            _log.warning("a second factor cannot be read: neither SECRET_KEY nor SECRET_KEY_FALLBACKS encrypted it")
            raise ValidationError(_UNREADABLE) from error


def encrypted(data: dict[str, Any]) -> dict[str, Any]:
    """Return what allauth keeps of a factor, with its secrets encrypted by today's key, whether they were or not.

    Raises InvalidToken when a secret was encrypted with a key that we do not have any more.
    """
    secrets = {name: _encrypted(data[name]) for name in _SECRETS if name in data}
    if "migrated_codes" in data:
        secrets["migrated_codes"] = [_encrypted(code) for code in data["migrated_codes"]]
    return data | secrets


def encrypt_again(authenticator: Authenticator) -> bool:
    """Encrypt the factor with today's key; return False when it cannot be read any more."""
    with transaction.atomic():
        locked = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        try:
            locked.data = encrypted(locked.data)
        except InvalidToken:
            return False
        locked.save(update_fields=["data"])
    return True


def _encrypted(text: str) -> Any:
    keys = _keys()
    # Fernet's tokens begin so, and neither the Base32 of an app, nor the hex of a seed, nor a code of digits does.
    if text.startswith("gAAAAA"):
        return keys.rotate(text.encode()).decode()
    return keys.encrypt(text.encode()).decode()


def _keys() -> MultiFernet:
    """Return today's key, with which is encrypted, and those of before, with which only is decrypted."""
    derived = [
        salted_hmac(_SALT, "", secret=secret, algorithm="sha256").digest()
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
