"""`Idempotency-Key`: the same write sent again is answered again and not done again.

The key belongs to a person. It is claimed before the write in a transaction of its own, so that a second request
beside the first is told to wait. An answer that is worth trying again (401, 403, 429, 5xx) is not kept, and the next
request with the key makes the write anew. What a dead process left claimed is taken over after `LOST_AFTER`. Whatever
was done at an earlier try is not done again: every try has the same decision ids.
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
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.errors import Problem, wrong
from reviewapp.api.models import KeptAnswer
from reviewapp.api.views.base import Endpoint

LOST_AFTER = timedelta(minutes=5)
_HEADER = "Idempotency-Key"
_GOOD = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?\Z")
_KEPT_HEADERS = ("ETag", "X-Change-Id")
E = TypeVar("E", bound=Endpoint)
P = ParamSpec("P")
Handler = Callable[Concatenate[E, Request, P], Response]


class UnfinishedResponse(Response):
    """An answer that is not kept: the same request with the same key does what is missing, and nothing twice."""


def once(handler: Handler[E, P]) -> Handler[E, P]:
    """Decorate a method that writes: with the header, at most one of equal requests does anything."""

    @wraps(handler)
    def answered(self: E, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get(_HEADER)
        if key is None:
            return handler(self, request, *args, **kwargs)
        kept, is_mine = _claim(request, key)
        if not is_mine:
            return _again(kept)
        request.kept_answer = kept  # type: ignore[attr-defined]
        try:
            response = handler(self, request, *args, **kwargs)
        except Exception as error:
            response = self.handle_exception(error)
        except BaseException:
            _release(kept)
            raise
        _keep(kept, response)
        return response

    answered.writes = True  # type: ignore[attr-defined]
    return cast("Handler[E, P]", answered)


def decision_id(request: Request, number: int = 0) -> uuid.UUID:
    """Return the id of the decision that a request makes: the same for the same key, so that it is made once."""
    kept: KeptAnswer | None = getattr(request, "kept_answer", None)
    if kept is None:
        return uuid.uuid4()
    return uuid.uuid5(kept.seed, str(number))


def is_second_try(request: Request) -> bool:
    """Return whether an earlier request with this key died without an answer, having done who knows what."""
    return bool(getattr(request, "taken_over", False))


def forget_old() -> int:
    """Delete answers that are older than `IDEMPOTENCY_DAYS`; returns how many."""
    before = timezone.now() - timedelta(days=settings.IDEMPOTENCY_DAYS)
    deleted, _ = KeptAnswer.objects.filter(started_at__lt=before).delete()
    return deleted


def _claim(request: Request, key: str) -> tuple[KeptAnswer, bool]:
    """Return the key's row, and whether this request is the one to do it. Raises 422 and 409."""
    if not _GOOD.match(key):
        raise wrong("header", _HEADER, message="An idempotency key is 1 to 255 printable ASCII characters.")
    fingerprint, now = _fingerprint(request), timezone.now()
    kept, is_new = KeptAnswer.objects.get_or_create(
        person_id=request.user.pk, key=key, defaults={"fingerprint": fingerprint, "started_at": now}
    )
    if is_new:
        return kept, True
    if kept.fingerprint != fingerprint:
        raise wrong("header", _HEADER, message="This key was used for another request.", kind="idempotency_key_reused")
    if kept.status is not None:
        return kept, False

    is_free = Q(is_claimed=False) | Q(started_at__lt=now - LOST_AFTER)
    free = KeptAnswer.objects.filter(is_free, pk=kept.pk, status=None)
    if free.update(is_claimed=True, started_at=now):
        request.taken_over = kept.is_claimed  # type: ignore[attr-defined]
        return kept, True
    raise Problem(409, "A request with this idempotency key is being answered.", code="in_flight", retry_after=1)


def _keep(kept: KeptAnswer, response: Response) -> None:
    is_to_be_retried = response.status_code in {401, 403, 429} or response.status_code >= 500
    if is_to_be_retried or isinstance(response, UnfinishedResponse):
        _release(kept)
        return
    KeptAnswer.objects.filter(pk=kept.pk).update(
        status=response.status_code,
        body=json.loads(JSONRenderer().render(response.data)),
        headers={name: response[name] for name in _KEPT_HEADERS if name in response},
    )


def _release(kept: KeptAnswer) -> None:
    KeptAnswer.objects.filter(pk=kept.pk).update(is_claimed=False)


def _again(kept: KeptAnswer) -> Response:
    return Response(kept.body, status=kept.status, headers={**kept.headers, "Idempotency-Replayed": "true"})


def _fingerprint(request: Request) -> str:
    parts: list[Any] = [request.method, request.get_full_path(), request.headers.get("If-Match", "")]
    return hashlib.sha256(json.dumps(parts).encode() + b"\0" + request.body).hexdigest()
