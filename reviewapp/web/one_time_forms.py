"""Secrets that a page shows once: the page loaded again acts once all the same.

The form has an id, made when it was rendered. The secret follows from the id, from who sends it, from what was asked
for and from our own key. So the same form sent twice leads to the same secret, and its digest to the row that is there
already, while nothing is kept from which the secret could be read.
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

_DAMAGED = "This form is damaged: open the page anew and fill it in once more."
# For a double click or a reload: who sends the form again later is told that it was sent.
_SHOWN_AGAIN = timedelta(minutes=10)


class MadeBefore(Exception):
    """The same form was sent before, too long ago to show its secret again; the text says what to do."""


class OnceForm(forms.Form):
    """A form that makes one secret, however often it is sent."""

    form_id = forms.UUIDField(required=False, initial=uuid.uuid4, error_messages={"invalid": _DAMAGED})


def secret_of(form_id: uuid.UUID | None, *asked: object) -> str:
    """Return 43 characters nobody can guess: the same for the same form and `asked`, fresh ones without a form."""
    if form_id is None:
        return secrets.token_urlsafe(32)
    said = json.dumps([str(form_id), *map(str, asked)])
    made = salted_hmac("reviewapp.shown_once", said, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def is_fresh(made_at: datetime) -> bool:
    """Return whether what was made then may still be shown again to whoever sends its form again."""
    return timezone.now() - made_at < _SHOWN_AGAIN
