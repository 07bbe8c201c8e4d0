"""Links by which people get in: an invitation for somebody new, a new password for somebody who forgot theirs.

The secret is in the link alone. Whoever holds it may use it once, so it is shown to the admin who made it, once, and
mailed when there is a mail server.
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

from reviewapp.accounts import roles, services
from reviewapp.accounts import services as accounts_services
from reviewapp.accounts.exceptions import LinkIsSpent
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people.normal_form import normalized
from reviewapp.accounts.querysets import LinkQuerySet
from reviewapp.audit.context import acting
from reviewapp.web.one_time_forms import MadeBefore, is_fresh, secret_of

INVITATION_LASTS = timedelta(days=7)
PASSWORD_LINK_LASTS = timedelta(hours=24)
_SPENT = "This link opens nothing any more: it was used, withdrawn, or has run out. Ask an admin for a new one."
_MADE_BEFORE = (
    "This form made its link before, and a link is shown once. Nothing new was made. If you do not have the link, make "
    "another: that one becomes useless."
)


def invite(*, email: str, role: str, actor: User, form_id: uuid.UUID | None = None) -> tuple[Link, str]:
    """Make the invitation of somebody new; return it and its secret. An earlier one for the address is withdrawn.

    The same `form_id` makes one link: sent again soon it returns that one, later it raises MadeBefore. Raises
    PermissionDenied, ValueError when no role has that name, ValidationError when somebody has that address.
    """
    roles.may_manage(actor)
    if role not in roles.PERMISSIONS:
        raise ValueError(f"{role!r} is no role; the roles are {', '.join(roles.PERMISSIONS)}")
    email = User.objects.normalize_email(normalized(email))
    if User.people.with_login(email).exists():
        raise ValidationError({"email": f"Somebody has the address {email} already: look for it in the list."})
    secret = secret_of(form_id, "invitation", actor.pk, email, role)
    link = Link(kind=Link.Kind.INVITATION, email=email, role=role)
    link.expires_at = timezone.now() + INVITATION_LASTS
    return _made_once(link, secret, Link.objects.inviting(email), actor=actor), secret


def new_password_link(user: User, *, actor: User, form_id: uuid.UUID | None = None) -> tuple[Link, str]:
    """Make the link by which `user` sets a new password; return it and its secret. An earlier one is withdrawn.

    The same `form_id` makes one link: sent again soon it returns that one, later it raises MadeBefore.
    """
    roles.may_manage(actor)
    secret = secret_of(form_id, "password", actor.pk, user.pk)
    link = Link(kind=Link.Kind.PASSWORD, person=user, expires_at=timezone.now() + PASSWORD_LINK_LASTS)
    return _made_once(link, secret, Link.objects.usable().filter(kind=link.kind, person=user), actor=actor), secret


def withdraw(link: Link, *, actor: User) -> bool:
    """Make a link open nothing any more; return False when it was used or withdrawn before."""
    roles.may_manage(actor)
    with acting(actor):
        open_ones = Link.objects.filter(pk=link.pk, used_at=None, withdrawn_at=None)
        return bool(open_ones.update(withdrawn_at=timezone.now()))


def opened_by(secret: str, kind: Link.Kind) -> Link:
    """Return the link that this secret opens; raises LinkIsSpent."""
    usable = Link.objects.usable().select_related("person", "made_by")
    link = usable.filter(kind=kind, digest=_digest(secret)).first()
    if link is None or (link.person is not None and not link.person.is_active):
        raise LinkIsSpent(_SPENT)
    return link


def accept(link: Link, *, username: str, password: str) -> User:
    """Make the person who was invited. Raises LinkIsSpent, and ValidationError as `services.create_person` does."""
    by = link.made_by.get_username() if link.made_by else "somebody who is gone"
    with acting(None, note=f"invited by {by}"):
        _use(link)
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
    """Give the link's person a new password and end their sessions and API tokens.

    Raises LinkIsSpent, ValidationError.
    """
    user = link.person
    if user is None:
        raise LinkIsSpent(_SPENT)
    validate_password(password, user)
    with acting(user):
        _use(link)
        Link.objects.filter(pk=link.pk).update(used_at=timezone.now())
        user.set_password(password)
        user.save(update_fields=["password"])
        accounts_services.revoke_tokens(user, actor=user, note=accounts_services.BY_LINK)
    accounts_services.end_sessions(user)
    return user


def mail(link: Link, url: str) -> bool | None:
    """Mail the link's URL; return whether it went out, None when there is no mail server or no address."""
    to = address_of(link)
    if not settings.EMAIL_HOST or not to:
        return None
    context = {"link": link, "url": url}
    subject = render_to_string(f"accounts/mail/{link.kind}_subject.txt", context).strip()
    try:
        send_mail(subject, render_to_string(f"accounts/mail/{link.kind}.txt", context), None, [to])
    except (SMTPException, OSError):
        return False
    return True


def address_of(link: Link) -> str:
    """Return the address of whom the link is for, "" when there is none."""
    return link.person.email if link.person else link.email


def _made_once(link: Link, secret: str, earlier: LinkQuerySet, *, actor: User) -> Link:
    """Store the link in the place of the `earlier` ones, or return the one that the same form made before."""
    if made := _made_before(secret):
        return made
    link.digest, link.made_by = _digest(secret), actor
    try:
        with acting(actor):
            earlier.update(withdrawn_at=timezone.now())
            link.save()
    except IntegrityError:
        # A double click: the same form came in beside this one, and was first.
        if made := _made_before(secret):
            return made
        raise
    return link


def _made_before(secret: str) -> Link | None:
    link = Link.objects.filter(digest=_digest(secret)).first()
    if link is None:
        return None
    if link.used_at or link.withdrawn_at or not is_fresh(link.made_at):
        raise MadeBefore(_MADE_BEFORE)
    link.again = True
    return link


def _use(link: Link) -> None:
    # The row is locked until the transaction ends, so of two who use a link at once the second finds it used.
    if not Link.objects.usable().select_for_update().filter(pk=link.pk).exists():
        raise LinkIsSpent(_SPENT)


def _digest(secret: str) -> str:
    # 256 random bits need no salt and no slow hash.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
