"""The people pages of admins: list, roles, sign-in, second factors and links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reviewapp.accounts import roles, services
from reviewapp.accounts.exceptions import ActionRefused
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people import invitations
from reviewapp.accounts.people.forms import InviteForm, RoleForm, SearchForm
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.web import pagination
from reviewapp.web.http import render_page_or_fragment
from reviewapp.web.middleware.compression import shows_secret
from reviewapp.web.one_time_forms import AlreadySubmitted, OneTimeForm
from reviewapp.web.reauthentication import (
    SIGN_IN_ELSEWHERE,
    reauthentication_required_for_form,
    reauthentication_required_for_post,
)

if TYPE_CHECKING:
    from reviewapp.web.http import Request

_OWN_ADMIN_ROLE = gettext_lazy("You cannot remove your own admin role. Another admin can.")

manages_people = permission_required("accounts.change_user", raise_exception=True)


@require_safe
@manages_people
def list_people(request: Request) -> HttpResponse:
    """Show one page of people, and the waiting invitations."""
    form = SearchForm(request.GET)
    words = form.values().get("search", "")
    people = User.people.listed()
    if words:
        people = people.matching_words(words)

    cursor = request.GET.get("cursor", "")
    try:
        page = pagination.page(people, order=["username"], cursor=cursor, size=50)
    except pagination.BadCursor:
        return redirect("people")

    rows = []
    for user in page.rows:
        # The groups are prefetched: `roles.role_of` would query them again for each row.
        group_names = {group.name for group in user.groups.all()}
        rows.append((user, roles.highest_role(group_names)))

    parameters = {"search": words} if words else {}
    context = {
        "form": form,
        "search": words,
        "pager": pagination.PageLinks(page=page, path=request.path, parameters=parameters),
        "rows": rows,
        "invitations": Link.objects.waiting().select_related("made_by")[:50],
    }
    return render_page_or_fragment(
        "accounts/_people.html",
        request,
        "accounts/people.html",
        context,
        status=form.status,
    )


@require_safe
@manages_people
def person(request: Request, pk: int) -> HttpResponse:
    """Show one person: role, sign-in, second factor, history."""
    user = get_object_or_404(User.people.listed(), pk=pk)
    form = RoleForm(initial={"role": roles.role_of(user)})
    return _render_person(request, user, form)


def _show_role_again(request: Request, pk: int) -> HttpResponse:
    user = get_object_or_404(User.people.listed(), pk=pk)
    form = RoleForm(request.POST)
    return _render_person(request, user, form, status=403, refused=str(SIGN_IN_ELSEWHERE))


@require_http_methods(["GET", "HEAD", "POST"])
@manages_people
@reauthentication_required_for_form(_show_role_again)
def change_role(request: Request, pk: int) -> HttpResponse:
    """Give the person another role, or none; a GET leads to the person, as in the views below.

    A browser sends one if the POST that waited for the password is lost.
    """
    user = get_object_or_404(User.people.listed(), pk=pk)
    if request.method != "POST":
        return redirect("person", pk=pk)

    form = RoleForm(request.POST)
    if not form.is_valid():
        return _render_person(request, user, form, status=422)

    role = form.cleaned_data["role"]
    try:
        roles.give_role(user, role, actor=request.user)
    except ActionRefused as error:
        return _refused_response(request, user, error)

    message = _("%(name)s now has no role.") % {"name": user}
    if role:
        message = _("%(name)s now has the role %(role)s.") % {"name": user, "role": role}
    messages.success(request, message)
    return redirect("person", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@manages_people
@reauthentication_required_for_post
def deactivate_person(request: Request, pk: int) -> HttpResponse:
    """Deactivate the person's sign-in."""
    user = get_object_or_404(User.people.listed(), pk=pk)
    if request.method != "POST":
        return redirect("person", pk=pk)

    try:
        services.deactivate(user, actor=request.user)
    except ActionRefused as error:
        return _refused_response(request, user, error)

    message = _("%(name)s is signed out everywhere and can no longer sign in.") % {"name": user}
    messages.success(request, message)
    return redirect("person", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@manages_people
@reauthentication_required_for_post
def reactivate_person(request: Request, pk: int) -> HttpResponse:
    """Reactivate the person's sign-in."""
    user = get_object_or_404(User, pk=pk)
    if request.method != "POST":
        return redirect("person", pk=pk)

    services.reactivate(user, actor=request.user)
    messages.success(request, _("%(name)s can sign in again.") % {"name": user})
    return redirect("person", pk=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@manages_people
@reauthentication_required_for_post
def remove_sign_in_factors(request: Request, pk: int) -> HttpResponse:
    """Remove the second factors of a person who lost them."""
    user = get_object_or_404(User, pk=pk)
    if request.method != "POST":
        return redirect("person", pk=pk)

    if services.remove_factors(user, actor=request.user):
        message = _("Second factor removed. %(name)s can sign in without it and set up a new one.")
        messages.success(request, message % {"name": user})
    else:
        messages.info(request, _("%(name)s has no second factor.") % {"name": user})
    return redirect("person", pk=pk)


def _show_invitation_again(request: Request) -> HttpResponse:
    context = {"form": InviteForm(request.POST), "refused": SIGN_IN_ELSEWHERE}
    return render(request, "accounts/invite.html", context, status=403)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@manages_people
@reauthentication_required_for_form(_show_invitation_again)
@shows_secret
def invite_person(request: Request) -> HttpResponse:
    """Invite a new person; the link is shown once."""
    form = InviteForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return render(request, "accounts/invite.html", {"form": form}, status=status)

    try:
        link, secret = invitations.invite(**form.cleaned_data, actor=request.user)
    except AlreadySubmitted as error:
        initial = {"email": form.cleaned_data["email"], "role": form.cleaned_data["role"]}
        context = {"form": InviteForm(initial=initial), "refused": error}
        return render(request, "accounts/invite.html", context, status=409)

    return _render_link(request, link, reverse("join", args=[secret]))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@manages_people
@reauthentication_required_for_post
@shows_secret
def password_link(request: Request, pk: int) -> HttpResponse:
    """Create a link by which the person sets a new password; it is shown once.

    A GET, as of a browser that loads the page with the link again, leads to the person.
    """
    user = get_object_or_404(User, pk=pk, is_active=True)
    if request.method != "POST":
        return redirect("person", pk=pk)

    form = OneTimeForm(request.POST)
    if not form.is_valid():
        return _refused_response(request, user, form.errors["form_id"][0], status=422)

    try:
        link, secret = invitations.new_password_link(user, actor=request.user, **form.cleaned_data)
    except AlreadySubmitted as error:
        return _refused_response(request, user, error)

    return _render_link(request, link, reverse("new_password", args=[secret]))


@require_POST
@manages_people
def withdraw_invitation(request: Request, pk: int) -> HttpResponse:
    """Withdraw an invitation."""
    link = get_object_or_404(Link, pk=pk)
    if invitations.withdraw_link(link, actor=request.user):
        recipient = link.email or link.person
        message = _("Invitation withdrawn. The link for %(recipient)s no longer works.")
        messages.success(request, message % {"recipient": recipient})
    else:
        messages.info(request, _("This invitation was already used or withdrawn."))
    return redirect("people")


def _render_person(
    request: Request,
    user: User,
    form: RoleForm,
    *,
    status: int = 200,
    refused: str = "",
) -> HttpResponse:
    role = roles.role_of(user)
    is_self = user.pk == request.user.pk
    kept_because = ""
    if is_self and role == roles.ADMIN:
        kept_because = str(_OWN_ADMIN_ROLE)

    context = {
        "person": user,
        "role": role,
        "kept_because": kept_because,
        "form": form,
        "refused": refused,
        "once": OneTimeForm(),
        "entries": timeline(user.ref, limit=30),
        "is_self": is_self,
        "sso": SocialAccount.objects.filter(user=user).exists(),
    }
    return render(request, "accounts/person.html", context, status=status)


def _refused_response(
    request: Request,
    user: User,
    reason: object,
    *,
    status: int = 409,
) -> HttpResponse:
    form = RoleForm(initial={"role": roles.role_of(user)})
    return _render_person(request, user, form, status=status, refused=str(reason))


def _render_link(request: Request, link: Link, path: str) -> HttpResponse:
    link_url = request.build_absolute_uri(path)
    mailed = None
    if not link.again:
        mailed = invitations.mail_link(link, link_url)

    context = {
        "link": link,
        "link_url": link_url,
        "to": invitations.recipient_of(link),
        "mailed": mailed,
    }
    return render(request, "accounts/link.html", context)
