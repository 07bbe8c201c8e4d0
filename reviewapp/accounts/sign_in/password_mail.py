"""The mail by which somebody who forgot the password sets a new one."""

from __future__ import annotations

from urllib.parse import urljoin

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from reviewapp.accounts.models import User

_TEMPLATE = "account/email/password_reset_key"


def send(*, address: str, site: str) -> bool:
    """Mail the link to the active person who has this address; return whether there is one.

    It goes to the address that is stored, not to the spelling of it that somebody typed. `site` is the URL of the home
    page, at the host where the link was asked for.
    """
    person = User.people.with_address(address).filter(is_active=True).first()
    if person is None:
        return False

    token = default_token_generator.make_token(person)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(person), "key": token})
    context = {"user": person, "password_reset_url": urljoin(site, path)}
    subject = render_to_string(f"{_TEMPLATE}_subject.txt", context).strip()
    body = render_to_string(f"{_TEMPLATE}_message.txt", context)

    send_mail(subject, body, None, [person.email])
    return True
