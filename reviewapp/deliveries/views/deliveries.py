"""The deliveries page: figures, changes with their state, and retrying and withdrawing them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.deliveries import services
from reviewapp.deliveries.filters import DeliveriesForm
from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit import shared_budget
from reviewapp.outbox.status.health import delivery_health
from reviewapp.outbox.status.metrics import CAP, MINUTES, delivery_metrics, undelivered_groups
from reviewapp.outbox.status.page_updates import with_updates
from reviewapp.outbox.status.summary import delivery_status, format_duration
from reviewapp.web import pagination
from reviewapp.web.http import Request, parse_whole_numbers, render_page_or_fragment, wants_fragment

_PAGE_SIZE = 50
_ACTIONS = {"withdraw": services.withdraw_change, "retry": services.retry_change}
_TOO_LATE = {
    "withdraw": gettext_lazy("Too late: it was just sent, or somebody else handled it."),
    "retry": gettext_lazy(
        "It is no longer waiting: it is being sent, or somebody else handled it."
    ),
}


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def deliveries(request: Request) -> HttpResponse:
    """Show the figures of deliveries, and one page of changes."""
    form = DeliveriesForm(request.GET)
    change_filter = form.change_filter()
    cursor = request.GET.get("cursor", "")
    try:
        page = pagination.page(
            change_filter.changes(),
            order=["-id"],
            cursor=cursor,
            size=_PAGE_SIZE,
        )
    except pagination.BadCursor:
        return redirect("deliveries")

    items = services.load_items(page.rows)
    context: dict[str, Any] = {
        "filters": [form[name] for name in ("state", "retriever", "person")],
        "change_filter": change_filter,
        "rows": [(change, items.get(change.ref)) for change in page.rows],
        "here": change_filter.querystring(),
        "pager": pagination.PageLinks(
            page=page,
            path=request.path,
            parameters=change_filter.parameters(),
        ),
    }
    if not wants_fragment(request):
        context |= _figures_context()
        context["groups"] = undelivered_groups()
    return render_page_or_fragment(
        "annotations/_deliveries.html", request, "annotations/deliveries.html", context
    )


@require_safe
@never_cache
@permission_required("annotations.view_annotation", raise_exception=True)
def delivery_figures(request: Request) -> HttpResponse:
    """Show the current figures alone."""
    if not wants_fragment(request):
        return redirect("deliveries")
    return with_updates(request, render(request, "annotations/_figures.html", _figures_context()))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@permission_required(services.PERMISSION, raise_exception=True)
def chosen_deliveries(request: Request) -> HttpResponse:
    """Preview retrying or withdrawing the selected changes; on POST do it and show the results."""
    data = request.POST if request.method == "POST" else request.GET
    action = data.get("deed", "")
    keys = parse_whole_numbers(data.getlist("pk"))
    changes = list(Change.objects.filter(pk__in=keys).order_by("-id")[:_PAGE_SIZE])

    if action not in _ACTIONS or not changes:
        context: dict[str, Any] = {"wrong": _("Pick at least one change and an action.")}
        return render(request, "annotations/deliveries_chosen.html", context, status=422)

    if request.method == "POST":
        errors = {}
        for change in changes:
            try:
                is_done = _ACTIONS[action](change, actor=request.user)
            except PermissionDenied as error:
                errors[change.pk] = str(error)
                continue
            change.refresh_from_db()
            errors[change.pk] = "" if is_done else str(_TOO_LATE[action])

        items = services.load_items(changes)
        rows = [(change, items.get(change.ref), errors[change.pk]) for change in changes]
        context = {"rows": rows, "deed": action}
        return render(request, "annotations/deliveries_done.html", context)

    if action == "retry":
        previews = services.preview_retry(changes)
    else:
        previews = services.preview_withdrawal(changes, actor=request.user)
    possible = sum(1 for preview in previews if not preview.obstacle)
    context = {"deed": action, "previews": previews, "possible": possible}
    return render(request, "annotations/deliveries_chosen.html", context)


def _figures_context() -> dict[str, Any]:
    current = delivery_metrics()
    health = delivery_health()
    budget = shared_budget.budget_status()
    return {
        "figures": current,
        "cap": CAP,
        "minutes": MINUTES,
        "budget": budget,
        "tokens": sum(budget.tokens.values()),
        "pause": health.pause,
        "needs_a_person": health.waiting,
        "plight": delivery_status(current, health, budget),
        "oldest_for": format_duration(current.oldest_seconds),
        "next_in": format_duration(current.next_seconds),
    }
