"""`Idempotency-Key`: a write that is sent again gets the stored response and is not done again.

The key belongs to a person. It is claimed before the write, in a transaction of its own, so that a
concurrent request with the same key is told to wait. A response that is worth a retry (401, 403,
429, 5xx) is not stored, and the next request with the key does the write again. A claim of a dead
process expires after `CLAIM_TIMEOUT`. What an earlier try has done is not done twice: every try has
the same decision ids.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.errors import Problem, invalid_value
from reviewapp.api.models import KeptAnswer
from reviewapp.api.views.base import Endpoint

CLAIM_TIMEOUT = timedelta(minutes=5)
_HEADER = "Idempotency-Key"
_VALID_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?\Z")
_STORED_HEADERS = ("ETag", "X-Change-Id")
E = TypeVar("E", bound=Endpoint)
P = ParamSpec("P")
Handler = Callable[Concatenate[E, Request, P], Response]


class UnfinishedResponse(Response):
    """A response that is not stored: a retry with the same key does what is missing."""


def idempotent(handler: Handler[E, P]) -> Handler[E, P]:
    """Do at most one of the requests with the same `Idempotency-Key`; decorates a write."""

    @wraps(handler)
    def handle_once(self: E, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get(_HEADER)
        if key is None:
            return handler(self, request, *args, **kwargs)

        stored, is_claimed = _claim(request, key)
        if not is_claimed:
            headers = {**stored.headers, "Idempotency-Replayed": "true"}
            return Response(stored.body, status=stored.status, headers=headers)

        request.kept_answer = stored  # type: ignore[attr-defined]
        try:
            response = handler(self, request, *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        except BaseException:
            _release(stored)
            raise
        _store(stored, response)
        return response

    handle_once.writes = True  # type: ignore[attr-defined]
    return cast("Handler[E, P]", handle_once)


def decision_id(request: Request, index: int = 0) -> uuid.UUID:
    """Return the id of a request's decision, the same for every request with the same key."""
    stored: KeptAnswer | None = getattr(request, "kept_answer", None)
    if stored is None:
        return uuid.uuid4()
    return uuid.uuid5(stored.seed, str(index))


def is_retry(request: Request) -> bool:
    """Return whether an earlier request with this key died and may have done anything."""
    return bool(getattr(request, "taken_over", False))


def delete_expired_answers() -> int:
    """Delete answers that are older than `IDEMPOTENCY_DAYS`; return their number."""
    expired_before = timezone.now() - timedelta(days=settings.IDEMPOTENCY_DAYS)
    deleted, _ = KeptAnswer.objects.filter(started_at__lt=expired_before).delete()
    return deleted


def _claim(request: Request, key: str) -> tuple[KeptAnswer, bool]:
    """Return the key's row and whether this request has claimed it. Raises 422 and 409."""
    if not _VALID_KEY.match(key):
        message = _("An idempotency key must be 1 to 255 printable ASCII characters.")
        raise invalid_value("header", _HEADER, message=message)

    now = timezone.now()
    if_match = request.headers.get("If-Match", "")
    parts: list[Any] = [request.method, request.get_full_path(), if_match]
    content = json.dumps(parts).encode() + b"\0" + request.body
    fingerprint = hashlib.sha256(content).hexdigest()
    stored, is_new = KeptAnswer.objects.get_or_create(
        person_id=request.user.pk,
        key=key,
        defaults={"fingerprint": fingerprint, "started_at": now},
    )
    if is_new:
        return stored, True

    if stored.fingerprint != fingerprint:
        message = _("This key was used for another request.")
        raise invalid_value("header", _HEADER, message=message, kind="idempotency_key_reused")

    if stored.status is not None:
        return stored, False

    is_free = Q(is_claimed=False) | Q(started_at__lt=now - CLAIM_TIMEOUT)
    free = KeptAnswer.objects.filter(is_free, pk=stored.pk, status=None)
    if not free.update(is_claimed=True, started_at=now):
        message = _("Another request with this idempotency key is still running.")
        raise Problem(409, message, code="in_flight", retry_after=1)
    request.taken_over = stored.is_claimed  # type: ignore[attr-defined]
    return stored, True


def _store(stored: KeptAnswer, response: Response) -> None:
    is_worth_retry = response.status_code in {401, 403, 429} or response.status_code >= 500
    if is_worth_retry or isinstance(response, UnfinishedResponse):
        _release(stored)
        return

    headers = {name: response[name] for name in _STORED_HEADERS if name in response}
    KeptAnswer.objects.filter(pk=stored.pk).update(
        status=response.status_code,
        body=json.loads(JSONRenderer().render(response.data)),
        headers=headers,
    )


def _release(stored: KeptAnswer) -> None:
    KeptAnswer.objects.filter(pk=stored.pk).update(is_claimed=False)
