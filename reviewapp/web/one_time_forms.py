"""Forms that create a secret, such as a token, and create only one if they are sent twice.

A form has an id, made when it was rendered. The secret is derived from the id, the person, the
input and our secret key. So the same form leads to the same secret, and the secret's digest to the
existing row, while nothing is stored from which the secret could be read.
"""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from datetime import datetime, timedelta

from django import forms
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy

_DAMAGED = gettext_lazy(
    "This form is damaged and was not saved. Reload the page and fill it in again."
)
# For a double click or a reload; later, the form is refused because it was already sent.
_SHOW_AGAIN_PERIOD = timedelta(minutes=10)


class AlreadySubmitted(Exception):
    """The form was sent too long ago to show its secret again; the message says what to do."""


class OneTimeForm(forms.Form):
    """A form that creates one secret, however often it is sent."""

    form_id = forms.UUIDField(
        required=False,
        initial=uuid.uuid4,
        error_messages={"invalid": _DAMAGED},
    )


def derive_secret(form_id: uuid.UUID | None, *inputs: object) -> str:
    """Return 43 characters: the same for the same form and inputs, random without a form."""
    if form_id is None:
        return secrets.token_urlsafe(32)
    message = json.dumps([str(form_id), *map(str, inputs)])
    digest = salted_hmac("reviewapp.shown_once", message, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def may_show_again(made_at: datetime) -> bool:
    """Return whether a secret created at `made_at` may be shown again for the same form."""
    return timezone.now() - made_at < _SHOW_AGAIN_PERIOD
