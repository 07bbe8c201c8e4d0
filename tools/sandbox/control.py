"""`/_sandbox`: what tests and operators steer; needs no key.

Script faults, choose what null does, add a namespace, see what was received and loaded, ask whether
the server is up.
"""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tools.sandbox.data_folder.import_data import describe_data, load
from tools.sandbox.errors import BadData, Invalid, error_body
from tools.sandbox.faults import Script
from tools.sandbox.resources.nulls import MODES, NullPolicy
from tools.sandbox.rules.validation import Field, Json, validate
from tools.sandbox.store import Store

_TEXT = Field(kind="text", nullable=False, required=True)
_NAMESPACE = {"data": _TEXT, "namespace": _TEXT}
_NULL_MODE = {"mode": Field(kind="text", nullable=False, required=True, among=MODES)}


def control_routes(
    script: Script,
    requests: deque[Json],
    store: Store,
    nulls: NullPolicy,
) -> list[Route]:
    """Return the routes under `/_sandbox`."""

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ready"})

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            script.clear()
        elif request.method == "POST":
            try:
                script.add(json.loads(await request.body()))
            except Invalid as invalid:
                return JSONResponse(error_body(invalid), status_code=422)
            except (ValueError, RecursionError) as error:
                return JSONResponse({"error": {"message": f"not JSON: {error}"}}, status_code=422)
        return JSONResponse({"faults": script.left()})

    async def received(request: Request) -> Response:
        if request.method == "DELETE":
            requests.clear()
        return JSONResponse({"requests": list(requests)})

    async def namespaces(request: Request) -> Response:
        """Load a data folder (`data`) of this machine into a namespace of its own (`namespace`)."""
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError) as error:
            return JSONResponse({"error": {"message": f"not JSON: {error}"}}, status_code=400)

        try:
            wish = validate(body, _NAMESPACE, strict=True)
            added = load(store, Path(wish["data"]), wish["namespace"])
        except Invalid as invalid:
            return JSONResponse(error_body(invalid), status_code=422)
        except BadData as error:
            return JSONResponse({"error": {"message": str(error)}}, status_code=422)
        return JSONResponse({"added": added})

    async def data(_request: Request) -> Response:
        return JSONResponse(describe_data(store))

    async def null(request: Request) -> Response:
        if request.method == "DELETE":
            nulls.reset()
        elif request.method == "PUT":
            try:
                body = json.loads(await request.body())
                nulls.mode = validate(body, _NULL_MODE, strict=True)["mode"]
            except Invalid as invalid:
                return JSONResponse(error_body(invalid), status_code=422)
            except (ValueError, RecursionError) as error:
                return JSONResponse({"error": {"message": f"not JSON: {error}"}}, status_code=422)
        return JSONResponse({"mode": nulls.mode})

    return [
        Route("/_sandbox/namespaces", namespaces, methods=["POST"]),
        Route("/_sandbox/data", data, methods=["GET"]),
        Route("/_sandbox/health", health, methods=["GET"]),
        Route("/_sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/null", null, methods=["GET", "PUT", "DELETE"]),
        Route("/_sandbox/requests", received, methods=["GET", "DELETE"]),
    ]
