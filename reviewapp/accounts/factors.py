"""How second factors are kept."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter


class Factors(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's own behaviour, in our words."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That code does not fit, or it was used before. Type the next one that your app shows.",
    }
