"""Mail the link by which a person sets a new password."""

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
    """Mail the link to the active person with this address; return whether there is one.

    A person without a password gets none: single sign-on decides whether they may sign in.

    The mail goes to the stored address, not to the typed spelling of it. `site` is the URL of the
    home page at the requested host.
    """
    person = User.people.with_address(address).filter(is_active=True).first()
    if person is None or not person.has_usable_password():
        return False

    token = default_token_generator.make_token(person)
    url_kwargs = {"uidb36": user_pk_to_url_str(person), "key": token}
    path = reverse("account_reset_password_from_key", kwargs=url_kwargs)
    # Below `site`, whose path may have a prefix that only a request's thread knows.
    path_below_home = path.removeprefix(reverse("home"))
    context = {"user": person, "password_reset_url": urljoin(site, path_below_home)}
    subject = render_to_string(f"{_TEMPLATE}_subject.txt", context).strip()
    body = render_to_string(f"{_TEMPLATE}_message.txt", context)

    send_mail(subject, body, None, [person.email])
    return True
