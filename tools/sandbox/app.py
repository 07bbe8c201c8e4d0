"""The ASGI application: which path is answered by which function."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from tools.sandbox import namespaces
from tools.sandbox.control import control_routes
from tools.sandbox.endpoint import (
    IGNORED,
    OPTIONAL,
    REQUIRED,
    Endpoint,
    Handler,
    World,
    decoded,
    endpoint,
    refusal,
)
from tools.sandbox.errors import Problem
from tools.sandbox.faults import Script
from tools.sandbox.middleware import KEPT_REQUESTS, Gate
from tools.sandbox.resources import annotations as resources_annotations
from tools.sandbox.resources import (
    audit,
    bulk,
    documents,
    events,
    executions,
    retriever_patch,
    retrievers,
    webhooks,
)
from tools.sandbox.resources.media import LinkRefused, refusal_xml
from tools.sandbox.rules.validation import Json

_NO_ANNOTATIONS = {"results": [], "total_count": 0}
_NO_RETRIEVERS = {"results": [], "total": 0, "pagination": {}}
_NO_EXECUTIONS = {
    "results": [],
    "pagination": {"total": 0, "limit": 10, "offset": 0, "has_next": False},
}
_OPEN_MEDIA = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_KINDS = {401: "UnauthorizedError", 404: "NotFoundError", 405: "MethodNotAllowedError"}


def build(world: World) -> Gate:
    """Return the whole application."""
    script = Script()
    requests: deque[Json] = deque(maxlen=KEPT_REQUESTS)
    control = control_routes(script, requests, world.store, world.nulls)
    inner = Starlette(
        routes=[*_api(world), *control, Route("/media/{name:path}", _media(world))],
        exception_handlers={HTTPException: _plain_refusal(world), Exception: _plain_refusal(world)},
        lifespan=_delivering(world),
    )
    # A slash too many is another address, as upstream.
    inner.router.redirect_slashes = False
    return Gate(inner, script, requests)


def _delivering(world: World) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def delivering(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(world.courier.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return delivering


def _api(world: World) -> Sequence[BaseRoute]:
    def at(
        path: str,
        method: str,
        handler: Handler,
        *,
        namespace: str = REQUIRED,
        empty: Json | None = None,
    ) -> Route:
        return Route(
            f"/v1{path}",
            endpoint(world, handler, namespace=namespace, empty=empty),
            methods=[method],
        )

    routes = [
        at(
            "/annotations/list",
            "POST",
            resources_annotations.list_annotations,
            empty=_NO_ANNOTATIONS,
        ),
        at("/annotations/stats", "GET", resources_annotations.stats),
        at("/annotations/bulk", "POST", bulk.bulk),
        at("/annotations", "POST", resources_annotations.create),
        at("/annotations/{annotation_id}", "GET", resources_annotations.get),
        at("/annotations/{annotation_id}", "PATCH", resources_annotations.patch),
        at("/annotations/{annotation_id}", "DELETE", resources_annotations.delete),
        at("/retrievers/list", "POST", retrievers.list_retrievers, empty=_NO_RETRIEVERS),
        at("/retrievers", "GET", retrievers.list_retrievers, empty=_NO_RETRIEVERS),
        at("/retrievers/{retriever_id}", "GET", retrievers.get),
        at("/retrievers/{retriever_id}", "PATCH", retriever_patch.patch),
        at("/retrievers/{retriever_id}/execute", "POST", executions.execute),
        at(
            "/retrievers/{retriever_id}/executions/list",
            "POST",
            executions.list_executions,
            empty=_NO_EXECUTIONS,
        ),
        at("/retrievers/{retriever_id}/executions/{execution_id}", "GET", executions.get),
        at("/documents/batch-get", "POST", documents.batch_get),
        at("/documents/{document_id}", "GET", documents.get),
        at("/collections/{collection_id}/documents/{document_id}", "GET", documents.get),
        at("/namespaces/list", "POST", namespaces.list_namespaces, namespace=IGNORED),
        at("/namespaces", "GET", namespaces.list_namespaces, namespace=IGNORED),
        at("/namespaces/{namespace_id}", "GET", namespaces.get, namespace=IGNORED),
    ]
    if world.dialect.current:
        routes += [
            at("/annotations/{annotation_id}/versions", "GET", resources_annotations.versions),
            at(
                "/annotations/{annotation_id}/versions/{version}",
                "GET",
                resources_annotations.version,
            ),
            at("/events", "GET", events.list_events, namespace=OPTIONAL),
            at("/organizations/audit/logs", "GET", audit.list_events, namespace=IGNORED),
            at("/organizations/webhooks/list", "POST", webhooks.list_webhooks, namespace=IGNORED),
            at("/organizations/webhooks", "POST", webhooks.create, namespace=IGNORED),
            at("/organizations/webhooks/{webhook_id}", "GET", webhooks.get, namespace=IGNORED),
            at("/organizations/webhooks/{webhook_id}", "PUT", webhooks.replace, namespace=IGNORED),
            at(
                "/organizations/webhooks/{webhook_id}",
                "DELETE",
                webhooks.delete,
                namespace=IGNORED,
            ),
        ]
    return routes


def _media(world: World) -> Endpoint:
    async def media(request: Request) -> Response:
        name = decoded(request.path_params)["name"]
        query = request.query_params
        try:
            world.library.verify(name, query.get("Expires", ""), query.get("Signature", ""))
        except LinkRefused as refused:
            return _media_refusal(refused, 403, name, request)
        path = world.library.find(name)
        if path is None:
            missing = LinkRefused("NoSuchKey", "The specified key does not exist.")
            return _media_refusal(missing, 404, name, request)
        return FileResponse(path, headers=_OPEN_MEDIA)

    return media


def _media_refusal(refused: LinkRefused, status: int, name: str, request: Request) -> Response:
    return Response(
        refusal_xml(refused, name, request.scope["request_id"]),
        status_code=status,
        media_type="application/xml",
        headers=_OPEN_MEDIA,
    )


def _plain_refusal(world: World) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def refuse(request: Request, error: Exception) -> Response:
        status = 500
        detail = "the sandbox itself is at fault, see its log"
        if isinstance(error, HTTPException):
            status = error.status_code
            detail = error.detail

        other_kind = "InternalServerError" if status >= 500 else "BadRequestError"
        kind = _KINDS.get(status, other_kind)
        message = f"{request.method} {request.url.path}: {detail}"
        return refusal(Problem(status, kind, message), world.dialect)

    return refuse
