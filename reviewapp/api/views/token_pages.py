"""The page where a person makes and revokes tokens of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from reviewapp.api import tokens as services
from reviewapp.api.forms import TokenForm
from reviewapp.api.models import ApiToken
from reviewapp.api.views.reauthentication import proof_required
from reviewapp.web.http import Request, whole_number
from reviewapp.web.one_time_forms import MadeBefore

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("annotations.view_annotation", raise_exception=True)
@proof_required
@sensitive_variables("secret")
def tokens(request: Request) -> HttpResponse:
    """Show one's tokens, to an admin those of the `person` asked for; a POST makes one and shows its secret, once."""
    form, made, secret, refused = _blank(), None, "", ""
    if request.method == "POST":
        form = TokenForm(request.POST)
        if form.is_valid():
            try:
                made, secret = services.create(request.user, actor=request.user, **form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error.messages)
            except MadeBefore as before:
                form, refused = _blank(), str(before)
            else:
                form = _blank()
    whose = _asked_for(request)
    mine = ApiToken.objects.filter(owner=whose or request.user).order_by("-id")[:100]
    context = {
        "whose": whose,
        "form": form,
        "made": made,
        "secret": secret,
        "refused": refused,
        "tokens": mine,
        "now": timezone.now(),
        "host": _host(request),
    }
    return render(request, "api/tokens.html", context, status=409 if refused else 422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("annotations.view_annotation", raise_exception=True)
def revoke_token(request: Request, pk: int) -> HttpResponse:
    """Ask, and on POST revoke one of one's own tokens, as an admin anybody's; it stops working at once and for good."""
    others = request.user.has_perm(services.MANAGES_PEOPLE)
    token = get_object_or_404(ApiToken, pk=pk, **({} if others else {"owner": request.user}))
    own = token.owner_id == request.user.pk
    back = reverse("tokens") + ("" if own else f"?person={token.owner_id}")
    if request.method != "POST" and not token.revoked_at:
        return render(request, "api/revoke.html", {"token": token, "whose": None if own else token.owner, "back": back})
    # Asked about a token that is revoked already, it says so.
    revoked = request.method == "POST" and services.revoke(token, actor=request.user)
    messages.success(request, f"“{token.name}” {'is revoked' if revoked else 'was revoked already'}.")
    return redirect(back)


def _blank() -> TokenForm:
    return TokenForm(initial={"scope": ApiToken.Scope.READ, "days": services.DEFAULT_DAYS})


def _asked_for(request: Request) -> User | None:
    """Return whose tokens an admin wants to see; None for one's own."""
    key = whole_number(request.GET.get("person", ""))
    if key is None or key == request.user.pk or not request.user.has_perm(services.MANAGES_PEOPLE):
        return None
    return get_object_or_404(get_user_model(), pk=key)


def _host(request: Request) -> str:
    return request.build_absolute_uri("/api")
