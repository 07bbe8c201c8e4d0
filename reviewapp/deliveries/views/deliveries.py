"""The deliveries page: what is going on, what waits and why, and what leads can do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.deliveries import services
from reviewapp.deliveries.filters import DeliveriesForm
from reviewapp.deliveries.services import Prospect
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit import shared_budget
from reviewapp.outbox.status.banner import with_banner
from reviewapp.outbox.status.health import standing
from reviewapp.outbox.status.metrics import CAP, MINUTES, figures, groups
from reviewapp.outbox.status.summary import lasting, plight
from reviewapp.web import pagination
from reviewapp.web.http import Request, page_or, wants_fragment, whole_number

_PAGE = 50
_DEEDS = {"withdraw": services.withdraw, "retry": services.retry}
_TOO_LATE = {
    "withdraw": "Too late: it was sent, or somebody dealt with it, in the meantime.",
    "retry": "It does not wait any more: it is being sent, or was dealt with, in the meantime.",
}


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def deliveries(request: Request) -> HttpResponse:
    """Show what is going on with deliveries, and one page of changes."""
    form = DeliveriesForm(request.GET)
    wanted = form.wanted()
    try:
        page = pagination.page(wanted.changes(), order=["-id"], cursor=request.GET.get("cursor", ""), size=_PAGE)
    except pagination.BadCursor:
        return redirect("deliveries")
    items = services.items_of(page.rows)
    context: dict[str, Any] = {
        "filters": [form[name] for name in ("state", "retriever", "person")],
        "wanted": wanted,
        "rows": [(change, items.get(change.ref)) for change in page.rows],
        "here": wanted.querystring(),
        "newer": page.before and wanted.querystring(cursor=page.before),
        "older": page.after and wanted.querystring(cursor=page.after),
    }
    if not wants_fragment(request):
        context |= _going_on() | {"groups": groups()}
    return page_or("annotations/_deliveries.html", request, "annotations/deliveries.html", context)


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def delivery_figures(request: Request) -> HttpResponse:
    """Show the figures alone, as they are now."""
    if not wants_fragment(request):
        return redirect("deliveries")
    return with_banner(request, render(request, "annotations/_figures.html", _going_on()))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required(services.PERMISSION, raise_exception=True)
def chosen_deliveries(request: Request) -> HttpResponse:
    """Preview what retrying or withdrawing does to each change that was picked; on POST do it and say what became."""
    asked = request.POST if request.method == "POST" else request.GET
    deed, keys = asked.get("deed", ""), {key for text in asked.getlist("pk") if (key := whole_number(text))}
    picked = list(Change.objects.filter(pk__in=keys).order_by("-id")[:_PAGE])
    if deed not in _DEEDS or not picked:
        context: dict[str, Any] = {"wrong": "Pick at least one change, and what to do with it."}
        return render(request, "annotations/deliveries_chosen.html", context, status=422)
    if request.method == "POST":
        done = [(change, _done(deed, change, request)) for change in picked]
        items = services.items_of(picked)
        rows = [(change, items.get(change.ref), said) for change, said in done]
        return render(request, "annotations/deliveries_done.html", {"rows": rows, "deed": deed})
    found = _prospects(deed, picked, request)
    moving = sum(1 for one in found if not one.why_not)
    context = {"deed": deed, "prospects": found, "moving": moving}
    return render(request, "annotations/deliveries_chosen.html", context)


def _done(deed: str, change: Change, request: Request) -> str:
    """Do it; return what stood in the way, "" for nothing."""
    try:
        done = _DEEDS[deed](change, actor=request.user)
    except PermissionDenied as refused:
        return str(refused)
    change.refresh_from_db()
    return "" if done else _TOO_LATE[deed]


def _prospects(deed: str, picked: Sequence[Change], request: Request) -> list[Prospect]:
    if deed == "retry":
        return services.prospects_of_retry(picked)
    return services.prospects_of_withdrawal(picked, actor=request.user)


def _going_on() -> dict[str, Any]:
    found, stands, allowance = figures(), standing(), shared_budget.standing()
    return {
        "figures": found,
        "cap": CAP,
        "minutes": MINUTES,
        "budget": allowance,
        "tokens": sum(allowance.tokens.values()),
        "pause": stands.pause,
        "needs_a_person": stands.waiting,
        "plight": plight(found, stands, allowance),
        "oldest_for": lasting(found.oldest_seconds),
        "next_in": lasting(found.next_seconds),
    }
