"""Endpoints for monitoring: liveness, readiness and metrics. They need no session."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from reviewapp.operations import health_checks
from reviewapp.operations.metrics import registry
from reviewapp.operations.metrics.auth import may_measure, may_see_details


@login_not_required
@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Report that the process is alive, without any check of the database."""
    return HttpResponse("alive\n", content_type="text/plain; charset=utf-8")


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Report whether this process can serve pages (200) or not (503), and the checks."""
    results = health_checks.run_checks()
    verdict = health_checks.verdict(results)
    is_down = verdict == "down"

    # The session is in the database, so a session can only be checked while that works.
    shows_details = may_see_details(request, ask_who=not is_down)
    checks: dict[str, object] = {}
    for result in results:
        if shows_details:
            checks[result.name] = {"status": result.status, **result.details}
        else:
            checks[result.name] = result.status

    status = 200
    if is_down:
        status = 503
    return JsonResponse({"status": verdict, "checks": checks}, status=status)


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return this server's metrics and those of the database for Prometheus."""
    if not may_measure(request):
        text = (
            "Send METRICS_TOKEN as a bearer token. "
            "Without one set, only this machine is answered.\n"
        )
        response = HttpResponse(text, status=401, content_type="text/plain; charset=utf-8")
        response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(registry.exposition(gauges=True), content_type=CONTENT_TYPE_LATEST)
