"""The demo people: three sign-ins with public passwords, for use with a sandbox only."""

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
    """The username and the role of a demo person."""

    username: str
    role: str

    @property
    def password(self) -> str:
        """The password, which is public."""
        return f"{self.username}-demo"


SIGN_INS = (
    SignIn(username="reviewer", role=roles.REVIEWER),
    SignIn(username="lead", role=roles.LEAD),
    SignIn(username="admin", role=roles.ADMIN),
)


def are_allowed() -> bool:
    """Return whether demo people may sign in: without Mixpeek, or with a local sandbox."""
    if not settings.MIXPEEK_API_KEY:
        return True
    host = urlsplit(settings.MIXPEEK_BASE_URL).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def has_demo_password(password: str) -> bool:
    """Return whether this is one of the public passwords."""
    return any(password == sign_in.password for sign_in in SIGN_INS)


def create_demo_people() -> list[SignIn]:
    """Create the demo people, or repair their sign-ins and roles; return those that changed."""
    changed = []
    for sign_in in SIGN_INS:
        with acting(None, note="demo people"):
            user = User.people.with_name(sign_in.username).first()
            has_sign_in = False
            if user is None:
                address = f"{sign_in.username}@example.com"
                if User.people.with_login(address).exists():
                    address = ""
                user = User.objects.create(username=sign_in.username, email=address)
            else:
                has_sign_in = user.is_active and user.check_password(sign_in.password)

            if not has_sign_in:
                user.is_active = True
                user.set_password(sign_in.password)
                user.save(update_fields=["is_active", "password"])

            has_role = roles.role_of(user) == sign_in.role
            if not has_role:
                roles.give_role(user, sign_in.role, actor=None, note="demo people")

        if not has_sign_in or not has_role:
            changed.append(sign_in)
    return changed
