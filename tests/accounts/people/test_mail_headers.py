"""No name, address or claim of a person adds a header or a recipient to a mail."""

from __future__ import annotations

from email.message import Message

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from reviewapp.accounts import roles
from reviewapp.accounts.models import Link, User
from reviewapp.accounts.people import invitations
from reviewapp.accounts.services import create_person
from reviewapp.accounts.tasks import mail_password_link
from tests.people import PASSWORD

ADDRESSES = [
    "nina@example.com\nBcc: eve@example.com",
    "nina@example.com\r\nSubject: x",
    "nina@example.com, eve@example.com",
    "nina@example.com;eve@example.com",
    "Nina <nina@example.com>",
    '"a\nb"@example.com',
    "nina@example.com\u2028Bcc: eve@example.com",
    "nina@exam\x00ple.com",
]
HEADERS = {"Content-Type", "MIME-Version", "Content-Transfer-Encoding", "Subject", "From", "To"}


@pytest.fixture(autouse=True)
def _mail_server(settings: Settings, quick_hashing: None) -> None:
    settings.EMAIL_HOST = "mail.example"


def sent() -> tuple[EmailMessage, Message]:
    """Return the only mail, and what goes over the wire."""
    (message,) = mail.outbox
    return message, message.message()


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_invites_no_such_address(adam_client: Client, address: str) -> None:
    reply = adam_client.post("/people/invite", {"email": address, "role": roles.REVIEWER})

    assert reply.status_code == 422
    assert not Link.objects.exists()
    assert mail.outbox == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_creates_nobody_with_such_an_address(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSON_PASSWORD", PASSWORD)

    with pytest.raises((CommandError, ValidationError)):
        call_command("create_person", "nina", role=roles.REVIEWER, email=address)

    assert not User.objects.filter(username="nina").exists()


@pytest.mark.parametrize("name", ["nina\nBcc: eve@example.com", "nina\r\n\r\n<b>", "nina\x00"])
def test_it_creates_nobody_with_such_a_name(name: str) -> None:
    with pytest.raises(ValidationError):
        create_person(
            username=name,
            email="nina@example.com",
            password=PASSWORD,
            role=roles.REVIEWER,
            actor=None,
        )


@pytest.mark.parametrize("kind", ["invitation", "link", "forgotten"])
def test_it_sends_one_mail_to_one_person_whatever_the_names(
    adam_client: Client, adam: User, alice: User, kind: str
) -> None:
    # As a provider may name people: their usernames are checked, other names are not.
    for person in (adam, alice):
        person.first_name = "A\r\nBcc: eve@example.com"
        person.last_name = "\r\n.\r\nQUIT"
        person.set_password(PASSWORD)
        person.save()
    adam_client.force_login(adam)

    if kind == "invitation":
        link, secret = invitations.invite(email="nina@example.com", role=roles.LEAD, actor=adam)
        invitations.mail_link(link, f"https://review.example/join/{secret}")
    elif kind == "link":
        link, secret = invitations.new_password_link(alice, actor=adam)
        invitations.mail_link(link, f"https://review.example/new-password/{secret}")
    else:
        mail_password_link(address="ALICE@example.com", site="https://review.example/")

    message, wire = sent()
    expected = "nina@example.com" if kind == "invitation" else "alice@example.com"
    assert message.recipients() == [expected]
    assert set(wire.keys()) - {"Date", "Message-ID"} == HEADERS
    assert "\n" not in wire["Subject"]
    assert "eve@example.com" not in wire.as_string()


# The form that asks for the mail takes no NUL.
@pytest.mark.parametrize("address", ADDRESSES[:-1])
def test_it_mails_no_link_to_such_an_address(alice: User, address: str) -> None:
    mail_password_link(address=address, site="https://review.example/")

    assert mail.outbox == []
