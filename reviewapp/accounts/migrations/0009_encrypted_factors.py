"""Encrypt the secrets of second factors that were stored in clear (see `factors.py`)."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import migrations
from django.utils.crypto import salted_hmac


def encrypt(apps: Any, schema_editor: Any) -> None:
    """Encrypt the secrets of every factor."""
    factors = apps.get_model("mfa", "Authenticator").objects.using(schema_editor.connection.alias)
    for factor in factors.exclude(type="webauthn").iterator():
        for name in ("secret", "seed"):
            if name in factor.data:
                factor.data[name] = encrypt_text(factor.data[name])
        if "migrated_codes" in factor.data:
            codes = factor.data["migrated_codes"]
            factor.data["migrated_codes"] = [encrypt_text(code) for code in codes]
        factor.save(update_fields=["data"])


def decrypt(apps: Any, schema_editor: Any) -> None:
    """Store the secrets in clear again, as the version before expects them."""
    keys = read_keys()
    factors = apps.get_model("mfa", "Authenticator").objects.using(schema_editor.connection.alias)
    for factor in factors.exclude(type="webauthn").iterator():
        for name in ("secret", "seed"):
            if name in factor.data:
                factor.data[name] = keys.decrypt(factor.data[name].encode()).decode()
        if "migrated_codes" in factor.data:
            codes = factor.data["migrated_codes"]
            factor.data["migrated_codes"] = [keys.decrypt(code.encode()).decode() for code in codes]
        factor.save(update_fields=["data"])


def encrypt_text(text: str) -> str:
    """Return the text encrypted with the current key; a text that is encrypted already is rotated."""
    keys = read_keys()
    # Every Fernet token starts like this; no Base32 key, hexadecimal seed or recovery code does.
    if text.startswith("gAAAAA"):
        return keys.rotate(text.encode()).decode()
    return keys.encrypt(text.encode()).decode()


def read_keys() -> MultiFernet:
    """Return the current key, which encrypts, and the earlier keys, which only decrypt."""
    keys = []
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        derived = salted_hmac(
            "reviewapp.accounts.factors", "", secret=secret, algorithm="sha256"
        ).digest()
        keys.append(Fernet(base64.urlsafe_b64encode(derived)))
    return MultiFernet(keys)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_history_guards"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(encrypt, decrypt)]
