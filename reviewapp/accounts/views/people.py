"""The people page: who there is, with which role, and what an admin can do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reviewapp.accounts import roles, services
from reviewapp.accounts.exceptions import Refused
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people import invitations
from reviewapp.accounts.people.forms import InviteForm, RoleForm, SearchForm
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.web import pagination
from reviewapp.web.http import page_or
from reviewapp.web.one_time_forms import MadeBefore, OnceForm

if TYPE_CHECKING:
    from reviewapp.web.http import Request

manages_people = permission_required("accounts.change_user", raise_exception=True)


@require_safe
@manages_people
def list_people(request: Request) -> HttpResponse:
    """Show one page of people, and the invitations that wait."""
    form = SearchForm(request.GET)
    words = form.cleaned_data["search"] if form.is_valid() else ""
    found = User.people.listed().mentioning(words) if words else User.people.listed()
    try:
        page = pagination.page(found, order=["username"], cursor=request.GET.get("cursor", ""), size=50)
    except pagination.BadCursor:
        return redirect("people")
    context = {
        "form": form,
        "search": words,
        "page": page,
        "rows": [(user, _role_shown(user)) for user in page.rows],
        "invitations": Link.objects.waiting().select_related("made_by")[:50],
    }
    return page_or("accounts/_people.html", request, "accounts/people.html", context, status=form.status)


@require_safe
@manages_people
def person(request: Request, pk: int) -> HttpResponse:
    """Show one person: role, sign-in, second factor, history."""
    user = get_object_or_404(User.people.listed(), pk=pk)
    return _person(request, user, RoleForm(initial={"role": roles.role_of(user)}))


@require_POST
@manages_people
def give_role(request: Request, pk: int) -> HttpResponse:
    """Give the person another role, or none."""
    user = get_object_or_404(User.people.listed(), pk=pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _person(request, user, form, status=422)
    role = form.cleaned_data["role"]
    try:
        roles.give_role(user, role, actor=request.user)
    except Refused as refused:
        return _refused(request, user, refused)
    messages.success(request, f"{user} is {role} now." if role else f"{user} has no role now.")
    return redirect("person", pk=pk)


@require_POST
@manages_people
def deactivate(request: Request, pk: int) -> HttpResponse:
    """Switch the person's sign-in off, at once and everywhere."""
    user = get_object_or_404(User.people.listed(), pk=pk)
    try:
        services.deactivate(user, actor=request.user)
    except Refused as refused:
        return _refused(request, user, refused)
    messages.success(request, f"{user} is signed out everywhere and cannot sign in any more.")
    return redirect("person", pk=pk)


@require_POST
@manages_people
def reactivate(request: Request, pk: int) -> HttpResponse:
    """Switch the person's sign-in on again."""
    user = get_object_or_404(User, pk=pk)
    services.reactivate(user, actor=request.user)
    messages.success(request, f"{user} can sign in again.")
    return redirect("person", pk=pk)


@require_POST
@manages_people
def remove_factors(request: Request, pk: int) -> HttpResponse:
    """Take a second factor away that the person lost."""
    user = get_object_or_404(User, pk=pk)
    if services.remove_factors(user, actor=request.user):
        messages.success(request, f"{user} signs in without a second factor now, and can set up a new one.")
    else:
        messages.info(request, f"{user} has no second factor.")
    return redirect("person", pk=pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@manages_people
def invite(request: Request) -> HttpResponse:
    """Invite somebody; the link is shown once."""
    form = InviteForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "accounts/invite.html", {"form": form}, status=422 if form.is_bound else 200)
    try:
        made, secret = invitations.invite(**form.cleaned_data, actor=request.user)
    except MadeBefore as before:
        anew = InviteForm(initial={name: form.cleaned_data[name] for name in ("email", "role")})
        return render(request, "accounts/invite.html", {"form": anew, "refused": before}, status=409)
    return _show_link(request, made, reverse("join", args=[secret]))


@never_cache
@require_POST
@manages_people
def password_link(request: Request, pk: int) -> HttpResponse:
    """Make the link by which somebody sets a new password; it is shown once."""
    user = get_object_or_404(User, pk=pk, is_active=True)
    form = OnceForm(request.POST)
    if not form.is_valid():
        return _refused(request, user, form.errors["form_id"][0], status=422)
    try:
        made, secret = invitations.new_password_link(user, actor=request.user, **form.cleaned_data)
    except MadeBefore as before:
        return _refused(request, user, before)
    return _show_link(request, made, reverse("new_password", args=[secret]))


@require_POST
@manages_people
def withdraw(request: Request, pk: int) -> HttpResponse:
    """Make an invitation open nothing any more."""
    link = get_object_or_404(Link, pk=pk)
    if invitations.withdraw(link, actor=request.user):
        messages.success(request, f"The link for {link.email or link.person} opens nothing any more.")
    else:
        messages.info(request, "It was used or withdrawn before.")
    return redirect("people")


def _person(request: Request, user: User, form: RoleForm, *, status: int = 200, refused: str = "") -> HttpResponse:
    role, is_self = roles.role_of(user), user.pk == request.user.pk
    own = "You cannot take the role of admin away from yourself. Another admin can do that."
    context = {
        "person": user,
        "role": role,
        "kept_because": own if is_self and role == roles.ADMIN else "",
        "form": form,
        "refused": refused,
        "once": OnceForm(),
        "entries": timeline(user.ref, limit=30),
        "is_self": is_self,
        "sso": SocialAccount.objects.filter(user=user).exists(),
    }
    return render(request, "accounts/person.html", context, status=status)


def _refused(request: Request, user: User, refused: object, *, status: int = 409) -> HttpResponse:
    form = RoleForm(initial={"role": roles.role_of(user)})
    return _person(request, user, form, status=status, refused=str(refused))


def _show_link(request: Request, link: Link, path: str) -> HttpResponse:
    url = request.build_absolute_uri(path)
    context = {
        "link": link,
        "url": url,
        "to": invitations.address_of(link),
        "mailed": None if link.again else invitations.mail(link, url),
    }
    return render(request, "accounts/link.html", context)


def _role_shown(user: User) -> str:
    # The groups are there already: role_of would ask again for each row.
    held = {group.name for group in user.groups.all()}
    return next((role for role in reversed(roles.PERMISSIONS) if role in held), "")
