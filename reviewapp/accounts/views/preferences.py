"""A person's own preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from reviewapp.accounts import roles, services
from reviewapp.accounts.people.forms import PreferencesForm, ThemeForm
from reviewapp.accounts.people.keymap import changeable_keys
from reviewapp.web.http import is_local_path, wants_fragment

if TYPE_CHECKING:
    from reviewapp.web.http import Request

_UNDO_HELP = gettext_lazy(
    "How long you can undo a decision before it is sent, 0 to 60 seconds. 0 sends at once. "
    "Default: %(default)s."
)


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: Request) -> HttpResponse:
    """Show and save the person's preferences."""
    data = request.POST if request.method == "POST" else None
    form = PreferencesForm(data, user=request.user, keys=changeable_keys())
    if form.is_valid():
        services.save_preferences(request.user, form.preferences)
        messages.success(request, _("Preferences saved."))
        return redirect("preferences")

    help_text = _UNDO_HELP % {"default": settings.UNDO_SECONDS}
    context = {"form": form, "role": roles.role_of(request.user), "undo_help": help_text}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/preferences.html", context, status=status)


@require_POST
def theme(request: Request) -> HttpResponse:
    """Save only the theme, and go back to the previous page; htmx stays and gets an event."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        message = form.errors["theme"].as_text()
        return HttpResponse(message, status=422, content_type="text/plain")

    services.save_theme(request.user, form.cleaned_data["theme"])
    if wants_fragment(request):
        response = HttpResponse(status=204)
        return trigger_client_event(response, "theme", {"value": request.user.theme})

    return_path = request.POST.get("next", "")
    if not is_local_path(return_path):
        return_path = "preferences"
    return redirect(return_path)
