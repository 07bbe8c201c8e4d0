"""`/_sandbox`: script faults, see what was received, ask whether the server is up. Needs no key."""

from __future__ import annotations

import json
from collections import deque

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reviewapp.sandbox.checks import Json
from reviewapp.sandbox.errors import Invalid, error_body
from reviewapp.sandbox.faults import Script


def control_routes(script: Script, requests: deque[Json]) -> list[Route]:
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

    return [
        Route("/_sandbox/health", health, methods=["GET"]),
        Route("/_sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/requests", received, methods=["GET", "DELETE"]),
    ]
