"""Encrypt the secrets of second factors that were stored in clear (see `factors.py`)."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from django.db import migrations

from reviewapp.accounts.sign_in.factors import encrypted


def encrypt(apps: Any, schema_editor: Any) -> None:
    """Encrypt the secrets of every factor."""
    factors = apps.get_model("mfa", "Authenticator").objects.using(schema_editor.connection.alias)
    for factor in factors.exclude(type="webauthn").iterator():
        factor.data = encrypted(factor.data)
        factor.save(update_fields=["data"])


def decrypt(apps: Any, schema_editor: Any) -> None:
    """Store the secrets in clear again, as the version before expects them."""
    adapter = get_adapter()
    factors = apps.get_model("mfa", "Authenticator").objects.using(schema_editor.connection.alias)
    for factor in factors.exclude(type="webauthn").iterator():
        for name in ("secret", "seed"):
            if name in factor.data:
                factor.data[name] = adapter.decrypt(factor.data[name])
        if "migrated_codes" in factor.data:
            factor.data["migrated_codes"] = [adapter.decrypt(code) for code in factor.data["migrated_codes"]]
        factor.save(update_fields=["data"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_history_guards"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(encrypt, decrypt)]
