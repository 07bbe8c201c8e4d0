"""Turn an HTTP request into a call on a resource, and its result or error into a response."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tools.sandbox.dialect import Dialect
from tools.sandbox.errors import Complaint, Invalid, Problem, bad_request, not_found
from tools.sandbox.namespaces import resolve
from tools.sandbox.request import Call
from tools.sandbox.resources.media import Library
from tools.sandbox.resources.nulls import NullPolicy
from tools.sandbox.resources.webhook_delivery import Courier
from tools.sandbox.rules.validation import Json, parse_json
from tools.sandbox.store import Store

# A handler that returns None is answered with 204.
Handler = Callable[[Call], Json | None]
Endpoint = Callable[[Request], Awaitable[Response]]
REQUIRED = "required"
OPTIONAL = "optional"
IGNORED = "ignored"


@dataclass(frozen=True, kw_only=True)
class World:
    """What every request shares; `key` None means that any key starting with `sk_` is good."""

    store: Store
    dialect: Dialect
    library: Library
    key: str | None
    courier: Courier
    nulls: NullPolicy = field(default_factory=NullPolicy)


def endpoint(
    world: World,
    handler: Handler,
    *,
    namespace: str = REQUIRED,
    empty: Json | None = None,
) -> Endpoint:
    """Return the ASGI endpoint of a handler.

    `namespace` says whether X-Namespace must be there. A list gives `empty`: what an unknown
    namespace gets, with 200 and a warning, where anything else gets a 404.
    """

    async def respond(request: Request) -> Response:
        try:
            actor = authenticated(request, world.key)
            name = _namespace_name(request, world, namespace)
            namespace_id = resolve(world.store, name) if name else ""
            if namespace_id is None:
                if empty is not None:
                    return _unresolved(name, empty)
                raise not_found("namespace", name)

            body = _parsed(await request.body())
            result = handler(_call(request, world, namespace_id, actor, body))
            world.courier.wake()
            if result is None:
                return Response(status_code=204)
            return JSONResponse(result)
        except Problem as problem:
            return refusal(problem, world.dialect)
        except RecursionError:
            complaint = Complaint(
                kind="json_invalid",
                location=("body",),
                message="The body is nested too deeply",
            )
            return refusal(Invalid([complaint]), world.dialect)

    return respond


def _call(request: Request, world: World, namespace: str, actor: str, body: Any) -> Call:
    return Call(
        store=world.store,
        dialect=world.dialect,
        library=world.library,
        nulls=world.nulls,
        namespace=namespace,
        actor_id=actor,
        base_url=str(request.base_url).rstrip("/"),
        request_id=request.scope["request_id"],
        change_reason=request.headers.get("x-change-reason", "").strip() or None,
        path=decoded(request.path_params),
        query=request.query_params,
        body=body,
    )


def decoded(path_params: Mapping[str, Any]) -> dict[str, str]:
    """Return the path parameters with their percent-encoding undone."""
    return {name: unquote(str(value)) for name, value in path_params.items()}


def authenticated(request: Request, key: str | None) -> str:
    """Return the actor behind the bearer key; raises a 401."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    token = credentials.strip()
    is_valid = token.startswith("sk_") and len(token) > len("sk_")
    if key:
        is_valid = token == key
    if scheme.lower() != "bearer" or not is_valid:
        raise Problem(
            401,
            "UnauthorizedError",
            "Missing or invalid API key: send 'Authorization: Bearer sk_...'",
        )
    return f"key_{hashlib.sha256(token.encode()).hexdigest()[:12]}"


def _namespace_name(request: Request, world: World, need: str) -> str:
    if need == IGNORED:
        return ""
    name = request.headers.get("x-namespace", "")
    if not name and not world.dialect.current and "/annotations" in request.url.path:
        name = request.query_params.get("namespace", "")
    if name or need == OPTIONAL:
        return name
    if world.dialect.current:
        raise bad_request("The X-Namespace header is required: a namespace id or name")
    raise Invalid(
        [Complaint(kind="missing", location=("header", "X-Namespace"), message="Field required")],
    )


def _unresolved(name: str, empty: Json) -> Response:
    warning = {
        "resource": "namespace",
        "id": name,
        "reason": "unresolved",
        "next_step": "Check the X-Namespace header: no namespace has this id or name",
    }
    return JSONResponse({**empty, "warnings": [warning]}, headers={"X-Namespace-Unresolved": name})


def _parsed(body: bytes) -> Any:
    if not body.strip():
        return None
    try:
        return parse_json(body)
    except (ValueError, RecursionError) as error:
        complaint = Complaint(
            kind="json_invalid",
            location=("body",),
            message=f"JSON decode error: {error}",
        )
        raise Invalid([complaint]) from error


def refusal(problem: Problem, dialect: Dialect) -> Response:
    """Return the answer to a call that cannot succeed."""
    return JSONResponse(dialect.problem(problem), status_code=problem.status)
