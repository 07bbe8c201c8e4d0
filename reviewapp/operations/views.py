"""What machines ask: are you alive, are you ready, what are your numbers. No page, no session needed."""

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
    """Answer; that is all it says. Nothing is asked, so a database in trouble gets no web process restarted."""
    return HttpResponse("alive\n", content_type="text/plain; charset=utf-8")


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Say whether this process can serve pages (200) or not (503), and what else somebody should look at."""
    answers = health_checks.ask()
    said = health_checks.verdict(answers)
    checks: dict[str, object] = {answer.name: answer.status for answer in answers}
    # Only a working database can tell who somebody is; the token needs none.
    if may_see_details(request, ask_who=said != "down"):
        checks = {answer.name: {"status": answer.status, **answer.details} for answer in answers}
    return JsonResponse({"status": said, "checks": checks}, status=503 if said == "down" else 200)


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give Prometheus this server's numbers and what the database knows."""
    if not may_measure(request):
        text = "For METRICS_TOKEN as a bearer token; without one set, for this machine only.\n"
        response = HttpResponse(text, status=401, content_type="text/plain; charset=utf-8")
        response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(registry.exposition(gauges=True), content_type=CONTENT_TYPE_LATEST)
