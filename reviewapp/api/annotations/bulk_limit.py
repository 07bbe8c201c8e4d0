"""How many bulks of one person run beside each other: each of them holds one of the few web threads for long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

from django.db import InterfaceError, OperationalError
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.errors import Problem
from reviewapp.api.views.base import Endpoint
from reviewapp.asked import rows

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

BULKS_AT_ONCE = 2
_RETRY_AFTER = 2
E = TypeVar("E", bound=Endpoint)
P = ParamSpec("P")
Handler = Callable[Concatenate[E, Request, P], Response]

# Locks of the connection: all web processes see them, and they end with a process that dies.
_TAKE = """
SELECT slot FROM generate_series(1, %(most)s::int) slot
WHERE pg_try_advisory_lock(hashtextextended(%(name)s::text || slot, 0)) LIMIT 1
"""
_GIVE_BACK = "SELECT pg_advisory_unlock(hashtextextended(%(name)s::text || %(slot)s::int, 0))"


def few_at_once(handler: Handler[E, P]) -> Handler[E, P]:
    """Decorate a bulk: above `BULKS_AT_ONCE` of one person at a time it is answered 429."""

    @wraps(handler)
    def answered(self: E, request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        with _slot(self.person):
            return handler(self, request, *args, **kwargs)

    return cast("Handler[E, P]", answered)


@contextmanager
def _slot(person: User) -> Iterator[None]:
    # Of the person and not of the token, since everybody may make more tokens.
    name = f"reviewapp/bulk/{person.pk}/"
    taken = rows(_TAKE, {"name": name, "most": BULKS_AT_ONCE})
    if not taken:
        message = f"{BULKS_AT_ONCE} bulks in your name are under way. Send this again when one of them is answered."
        raise Problem(429, message, code="too_many_at_once", retry_after=_RETRY_AFTER)
    ((slot,),) = taken
    try:
        yield
    finally:
        # A connection that was lost meanwhile has given it back.
        with suppress(OperationalError, InterfaceError):
            rows(_GIVE_BACK, {"name": name, "slot": slot})
