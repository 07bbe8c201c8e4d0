"""The pages where people create and revoke their own API tokens."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from reviewapp.api import tokens as services
from reviewapp.api.forms import TokenForm
from reviewapp.api.models import ApiToken
from reviewapp.web.http import Request, parse_whole_number
from reviewapp.web.middleware.compression import shows_secret
from reviewapp.web.one_time_forms import AlreadySubmitted
from reviewapp.web.reauthentication import SIGN_IN_ELSEWHERE, reauthentication_required_for_form

# What the form that made a token said, in the session: its secret follows from that.
_MADE = "made_token"


def _show_form_again(request: Request) -> HttpResponse:
    form = TokenForm(request.POST)
    return _render_tokens(request, form, {"refused": SIGN_IN_ELSEWHERE}, status=403)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("annotations.view_annotation", raise_exception=True)
@reauthentication_required_for_form(_show_form_again)
@shows_secret
@sensitive_variables("secret")
def tokens(request: Request) -> HttpResponse:
    """List tokens; a POST creates one and leads to the page that shows its secret, once.

    allauth carries out a POST that had to wait for the password under its own address, so the
    secret must not be on the page that answers it.

    An admin sees those of `person`, everybody else their own.
    """
    form = _blank_form()
    token, secret = _get_made(request)
    refusal = ""
    if request.method == "POST":
        form = TokenForm(request.POST)
        if form.is_valid():
            try:
                token, secret = services.create_token(
                    request.user,
                    actor=request.user,
                    **form.cleaned_data,
                )
            except ValidationError as error:
                form.add_error(None, error.messages)
            except AlreadySubmitted as error:
                form = _blank_form()
                refusal = str(error)
            else:
                if form.cleaned_data["form_id"] is not None:
                    words = form.cleaned_data | {"form_id": str(form.cleaned_data["form_id"])}
                    made = {"token": token.pk, "again": token.again, "words": words}
                    request.session[_MADE] = made
                    return redirect(f"{reverse('tokens')}?made={token.pk}")
                form = _blank_form()

    status = 200
    if refusal:
        status = 409
    elif form.errors:
        status = 422
    context = {"made": token, "secret": secret, "refused": refusal}
    return _render_tokens(request, form, context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("annotations.view_annotation", raise_exception=True)
def revoke_token(request: Request, pk: int) -> HttpResponse:
    """Ask for confirmation; a POST revokes a token at once and for good.

    Admins may revoke anybody's token, everybody else their own.
    """
    own_tokens = {"owner": request.user}
    may_revoke_all = request.user.has_perm(services.MANAGES_PEOPLE)
    allowed = {} if may_revoke_all else own_tokens
    token = get_object_or_404(ApiToken, pk=pk, **allowed)

    is_own = token.owner_id == request.user.pk
    back = reverse("tokens")
    if not is_own:
        back += f"?person={token.owner_id}"

    if request.method != "POST" and not token.revoked_at:
        other_owner = None if is_own else token.owner
        context = {"token": token, "whose": other_owner, "back": back}
        return render(request, "api/revoke.html", context)

    # A GET for a token that is revoked already only reports that.
    is_revoked_now = request.method == "POST" and services.revoke(token, actor=request.user)
    message = _("“%(name)s” was already revoked.")
    if is_revoked_now:
        message = _("“%(name)s” is revoked.")
    messages.success(request, message % {"name": token.name})
    return redirect(back)


def _render_tokens(
    request: Request,
    form: TokenForm,
    context: dict[str, Any],
    *,
    status: int,
) -> HttpResponse:
    # An admin may see those of another person.
    other_person = None
    key = parse_whole_number(request.GET.get("person", ""))
    is_other = key is not None and key != request.user.pk
    if is_other and request.user.has_perm(services.MANAGES_PEOPLE):
        other_person = get_object_or_404(get_user_model(), pk=key)

    owner = other_person or request.user
    context = {
        **context,
        "whose": other_person,
        "form": form,
        "tokens": ApiToken.objects.filter(owner=owner).order_by("-id")[:100],
        "now": timezone.now(),
        "host": request.build_absolute_uri(f"{reverse('home')}api"),
    }
    return render(request, "api/tokens.html", context, status=status)


def _blank_form() -> TokenForm:
    return TokenForm(initial={"scope": ApiToken.Scope.READ, "days": services.DEFAULT_DAYS})


def _get_made(request: Request) -> tuple[ApiToken | None, str]:
    """Return the token of `made` and its secret, if this session made it a short while ago."""
    made = request.session.get(_MADE)
    if request.method == "POST" or made is None or request.GET.get("made") != str(made["token"]):
        return None, ""

    words = made["words"] | {"form_id": uuid.UUID(made["words"]["form_id"])}
    found = services.find_token_of_form(request.user, **words)
    if found is None:
        return None, ""

    token, secret = found
    token.again = made["again"]
    request.session[_MADE] = made | {"again": True}
    return token, secret
