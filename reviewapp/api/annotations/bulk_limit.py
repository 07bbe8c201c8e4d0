"""Limit the bulk requests that one person runs at once: each holds a web thread for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.errors import Problem
from reviewapp.api.views.base import Endpoint
from reviewapp.postgres.slots import acquire_slot, release_slot

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

MAX_CONCURRENT_BULKS = 2
# Beyond this no further item is begun: a thousand creates take longer than a proxy waits.
MAX_BULK_SECONDS = 20.0
_RETRY_AFTER = 2
E = TypeVar("E", bound=Endpoint)
P = ParamSpec("P")
Handler = Callable[Concatenate[E, Request, P], Response]


def limit_concurrent_bulks(handler: Handler[E, P]) -> Handler[E, P]:
    """Answer 429 if a person already has `MAX_CONCURRENT_BULKS` bulks running; a decorator."""

    @wraps(handler)
    def limited(self: E, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        with _slot(self.person):
            return handler(self, request, *args, **kwargs)

    return cast("Handler[E, P]", limited)


@contextmanager
def _slot(person: User) -> Iterator[None]:
    # Per person and not per token, because everybody may create more tokens.
    name = f"reviewapp/bulk/{person.pk}/"
    slot = acquire_slot(name, most=MAX_CONCURRENT_BULKS)
    if slot is None:
        message = _(
            "%(number)s of your bulk requests are running. Try again when one has finished."
        ) % {"number": MAX_CONCURRENT_BULKS}
        raise Problem(429, message, code="too_many_at_once", retry_after=_RETRY_AFTER)

    try:
        yield
    finally:
        release_slot(name, slot)
