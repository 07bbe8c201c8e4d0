"""Invitations, and links by which people set a new password.

Only the link has the secret, and whoever has the link can use it once. So the link is shown once,
to the admin who made it, and mailed if there is a mail server.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import IntegrityError
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from reviewapp.accounts import roles, services
from reviewapp.accounts.exceptions import InvalidLink
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people.normal_form import normalized
from reviewapp.accounts.querysets import LinkQuerySet
from reviewapp.audit.context import acting
from reviewapp.web.one_time_forms import AlreadySubmitted, derive_secret, may_show_again

INVITATION_DURATION = timedelta(days=7)
PASSWORD_LINK_DURATION = timedelta(hours=24)
_INVALID_LINK = _(
    "This link is no longer valid: it was used, withdrawn or has expired. Ask an admin for a new "
    "one."
)
_MADE_BEFORE = _(
    "This form already created its link, which is shown only once. No other link was created. If "
    "you do not have the link, create another; it replaces the first one."
)


def invite(
    *,
    email: str,
    role: str,
    actor: User,
    form_id: uuid.UUID | None = None,
) -> tuple[Link, str]:
    """Invite a new person; return the link and its secret. Withdraws earlier ones for the address.

    The same `form_id` creates only one link: submitted again soon, that one is returned; later,
    MadeBefore is raised. Raises PermissionDenied, ValueError for an unknown role, and
    ValidationError if a person has that address.
    """
    roles.require_manager(actor)
    if role not in roles.PERMISSIONS:
        raise ValueError(f"{role!r} is no role; the roles are {', '.join(roles.PERMISSIONS)}")

    email = User.objects.normalize_email(normalized(email))
    if User.people.with_login(email).exists():
        message = _("Somebody already has the address %(email)s. Find them under People.")
        raise ValidationError({"email": message % {"email": email}})

    link = Link(kind=Link.Kind.INVITATION, email=email, role=role)
    link.expires_at = timezone.now() + INVITATION_DURATION
    secret = derive_secret(form_id, "invitation", actor.pk, email, role)
    earlier = Link.objects.inviting(email)
    return _save_once(link, secret, earlier, actor=actor), secret


def new_password_link(
    user: User,
    *,
    actor: User,
    form_id: uuid.UUID | None = None,
) -> tuple[Link, str]:
    """Create the link by which `user` sets a new password; return it and its secret.

    Withdraws an earlier one. The same `form_id` creates only one link: submitted again soon, that
    one is returned; later, MadeBefore is raised.
    """
    roles.require_manager(actor)

    link = Link(kind=Link.Kind.PASSWORD, person=user)
    link.expires_at = timezone.now() + PASSWORD_LINK_DURATION
    secret = derive_secret(form_id, "password", actor.pk, user.pk)
    earlier = Link.objects.usable().filter(kind=link.kind, person=user)
    return _save_once(link, secret, earlier, actor=actor), secret


def withdraw_link(link: Link, *, actor: User) -> bool:
    """Withdraw a link; return False if it was used or withdrawn before."""
    roles.require_manager(actor)
    with acting(actor):
        unused = Link.objects.filter(pk=link.pk, used_at=None, withdrawn_at=None)
        return bool(unused.update(withdrawn_at=timezone.now()))


def get_usable_link(secret: str, kind: Link.Kind) -> Link:
    """Return the usable link with this secret, of an admin; raises InvalidLink."""
    usable = Link.objects.usable().select_related("person", "made_by")
    link = usable.filter(kind=kind, digest=_digest(secret)).first()
    if link is None:
        raise InvalidLink(_INVALID_LINK)
    if link.person is not None and not link.person.is_active:
        raise InvalidLink(_INVALID_LINK)
    # Their links are withdrawn with an admin's rights, but SQL may take the rights without that.
    if link.made_by is None or not link.made_by.has_perm(roles.MANAGES_PEOPLE):
        raise InvalidLink(_INVALID_LINK)
    return link


def accept(link: Link, *, username: str, password: str) -> User:
    """Create the invited person. Raises InvalidLink, and the errors of `services.create_person`."""
    by = link.made_by.get_username() if link.made_by else "somebody who is gone"
    with acting(None, note=f"invited by {by}"):
        _lock_usable(link)
        user = services.create_person(
            username=username,
            email=link.email,
            password=password,
            role=link.role,
            actor=None,
            note=f"invited by {by}",
            joining=True,
        )
        with acting(user):
            Link.objects.filter(pk=link.pk).update(used_at=timezone.now(), person=user)
    return user


def set_password(link: Link, *, password: str) -> User:
    """Set a new password for the link's person, and end their sessions, API tokens and links.

    Raises InvalidLink, ValidationError.
    """
    user = link.person
    if user is None:
        raise InvalidLink(_INVALID_LINK)
    validate_password(password, user)
    with acting(user):
        _lock_usable(link)
        Link.objects.filter(pk=link.pk).update(used_at=timezone.now())
        user.set_password(password)
        user.save(update_fields=["password"])
        services.end_old_password(user, actor=user, note=services.BY_LINK)
    services.end_sessions(user)
    return user


def mail_link(link: Link, url: str) -> bool | None:
    """Mail the link's URL; return whether it was sent, None without a mail server or address."""
    to = recipient_of(link)
    if not settings.EMAIL_HOST or not to:
        return None
    context = {"link": link, "url": url}
    subject = render_to_string(f"accounts/mail/{link.kind}_subject.txt", context).strip()
    try:
        send_mail(subject, render_to_string(f"accounts/mail/{link.kind}.txt", context), None, [to])
    except (SMTPException, OSError):
        return False
    return True


def recipient_of(link: Link) -> str:
    """Return the address of the person for whom the link is; "" for none."""
    if link.person:
        return link.person.email
    return link.email


def _save_once(link: Link, secret: str, earlier: LinkQuerySet, *, actor: User) -> Link:
    """Save the link and withdraw the `earlier` ones; return an existing link of the same form."""
    existing = _find_existing(secret)
    if existing is not None:
        return existing

    link.digest = _digest(secret)
    link.made_by = actor
    try:
        with acting(actor):
            earlier.update(withdrawn_at=timezone.now())
            link.save()
    except IntegrityError:
        # A double click: a second request with the same form saved the link first.
        existing = _find_existing(secret)
        if existing is None:
            raise
        return existing
    return link


def _find_existing(secret: str) -> Link | None:
    link = Link.objects.filter(digest=_digest(secret)).first()
    if link is None:
        return None
    if link.used_at or link.withdrawn_at or not may_show_again(link.made_at):
        raise AlreadySubmitted(_MADE_BEFORE)
    link.again = True
    return link


def _lock_usable(link: Link) -> None:
    # If two people use a link at once, the second waits here, and then finds it used.
    usable = Link.objects.usable().select_for_update()
    if not usable.filter(pk=link.pk).exists():
        raise InvalidLink(_INVALID_LINK)


def _digest(secret: str) -> str:
    # 256 random bits need no salt and no slow hash.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
