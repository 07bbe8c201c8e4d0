"""The demo's people: three sign-ins that everybody may know, good only where nothing real can be harmed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.audit.context import acting


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """One demo person: the name to sign in with, and the role."""

    username: str
    role: str

    @property
    def password(self) -> str:
        """The password, which everybody may know."""
        return f"{self.username}-demo"


SIGN_INS = (
    SignIn(username="reviewer", role=roles.REVIEWER),
    SignIn(username="lead", role=roles.LEAD),
    SignIn(username="admin", role=roles.ADMIN),
)


def are_welcome() -> bool:
    """Return whether demo people may sign in: there is no Mixpeek behind this app, or it is a local sandbox."""
    return not settings.MIXPEEK_API_KEY or _is_loopback(urlsplit(settings.MIXPEEK_BASE_URL).hostname or "")


def has_demo_password(password: str) -> bool:
    """Return whether this is one of the passwords that everybody may know."""
    return any(password == each.password for each in SIGN_INS)


def make_people() -> list[SignIn]:
    """Make the demo people, or mend their passwords and roles; return those that were new or mended."""
    return [each for each in SIGN_INS if _made_or_mended(each)]


def _made_or_mended(wanted: SignIn) -> bool:
    with acting(None, note="demo people"):
        return _made_or_mended_inside(wanted)


def _made_or_mended_inside(wanted: SignIn) -> bool:
    user = User.people.with_name(wanted.username).first()
    created = user is None
    if user is None:
        address = f"{wanted.username}@example.com"
        is_free = not User.people.with_login(address).exists()
        user = User.objects.create(username=wanted.username, email=address if is_free else "")
    fits = user.is_active and not created and user.check_password(wanted.password)
    if not fits:
        user.is_active = True
        user.set_password(wanted.password)
        user.save(update_fields=["is_active", "password"])
    if roles.role_of(user) == wanted.role:
        return not fits
    roles.give_role(user, wanted.role, actor=None, note="demo people")
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
