"""A forgotten password: a link by mail or from an admin; both end all other sessions."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from reviewapp.accounts import services
from reviewapp.accounts.models import User
from reviewapp.accounts.people import invitations
from reviewapp.accounts.tasks import mail_password_link
from reviewapp.audit.models import Event
from tests.people import PASSWORD, make_person

NEW = "nine-blue-umbrellas"
BOTH = {"password1": NEW, "password2": NEW}


def jobs() -> QuerySet[ProcrastinateJob]:
    """Return the mails that wait for the worker."""
    return ProcrastinateJob.objects.filter(task_name="accounts.mail_password_link", status="todo")


def do_jobs() -> None:
    """Send them, as the worker does."""
    for job in jobs():
        mail_password_link(**job.args)


@pytest.fixture
def mailed(settings: Settings) -> None:
    """A mail server is named."""
    settings.EMAIL_HOST = "mail.example"


def test_it_is_set_by_a_link_of_an_admin(
    client: Client, adam: User, carol: User, carol_client: Client
) -> None:
    client.force_login(adam)
    page = client.post(f"/people/{carol.pk}/password-link").content.decode()
    match = re.search(r"http://testserver(/new-password/[\w-]+)", page)
    assert match

    response = Client().post(match.group(1), BOTH)

    assert response["Location"] == "/accounts/login/"
    carol.refresh_from_db()
    assert carol.check_password(NEW)
    assert carol_client.get("/preferences").status_code == 302
    assert Client().get(match.group(1)).status_code == 404


def test_it_replaces_an_earlier_link(adam: User, carol: User) -> None:
    _, first = invitations.new_password_link(carol, actor=adam)
    _, second = invitations.new_password_link(carol, actor=adam)

    assert Client().get(f"/new-password/{first}").status_code == 404
    assert Client().get(f"/new-password/{second}").status_code == 200


@pytest.mark.parametrize(
    "fields", [{}, {"password1": NEW, "password2": "x"}, {"password1": "a", "password2": "a"}]
)
def test_it_refuses_and_changes_nothing(adam: User, carol: User, fields: dict[str, str]) -> None:
    _, secret = invitations.new_password_link(carol, actor=adam)

    assert Client().post(f"/new-password/{secret}", fields).status_code == 422

    carol.refresh_from_db()
    assert carol.check_password(PASSWORD)


def test_it_opens_nothing_for_somebody_deactivated(adam: User, carol: User, client: Client) -> None:
    _, secret = invitations.new_password_link(carol, actor=adam)
    User.objects.filter(pk=carol.pk).update(is_active=False)

    assert Client().post(f"/new-password/{secret}", BOTH).status_code == 404
    client.force_login(adam)
    assert client.post(f"/people/{carol.pk}/password-link").status_code == 404


@pytest.mark.usefixtures("mailed")
def test_it_is_set_by_a_link_in_a_mail(client: Client, carol: User, carol_client: Client) -> None:
    assert "Forgotten password?" in client.get("/accounts/login/").content.decode()
    response = client.post("/accounts/password/reset/", {"email": "carol@example.com"}, follow=True)
    assert "Check your mail" in response.content.decode()
    do_jobs()
    (sent,) = mail.outbox
    match = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(sent.body))
    assert match
    assert sent.subject == "New password for reviewapp"

    form = client.get(match.group(1), follow=True)
    done = client.post(form.redirect_chain[-1][0], BOTH, follow=True)

    assert "Your new password is set" in done.content.decode()
    carol.refresh_from_db()
    assert carol.check_password(NEW)
    assert carol_client.get("/preferences").status_code == 302
    assert "This link is not valid" in Client().get(match.group(1), follow=True).content.decode()


def mailed_link(client: Client) -> str:
    """Ask for a link by mail and return its path."""
    client.post("/accounts/password/reset/", {"email": "carol@example.com"})
    do_jobs()
    jobs().update(status="succeeded")
    path: str
    (path,) = re.findall(r"/accounts/password/reset/key/\S+", str(mail.outbox[-1].body))
    return path


def opens(path: str) -> bool:
    """Return whether a new browser that follows the link gets the form for a new password."""
    page = Client().get(path, follow=True)
    return page.status_code == 200 and 'name="password1"' in page.content.decode()


@pytest.mark.usefixtures("mailed")
def test_it_ends_all_other_links_when_one_of_an_admin_is_used(adam: User, carol: User) -> None:
    mailed_paths = [mailed_link(Client()), mailed_link(Client())]
    _, secret = invitations.new_password_link(carol, actor=adam)
    assert all(map(opens, mailed_paths))

    Client().post(f"/new-password/{secret}", BOTH)

    assert not any(map(opens, mailed_paths))


@pytest.mark.usefixtures("mailed")
def test_it_ends_all_other_links_when_a_mailed_one_is_used(adam: User, carol: User) -> None:
    _, secret = invitations.new_password_link(carol, actor=adam)
    earlier, path = mailed_link(Client()), mailed_link(Client())
    browser = Client()
    form = browser.get(path, follow=True)

    browser.post(form.redirect_chain[-1][0], BOTH)

    carol.refresh_from_db()
    assert carol.check_password(NEW)
    assert not opens(f"/new-password/{secret}")
    assert not opens(earlier)
    event = Event.objects.get(action="link.withdrawn")
    assert (event.actor_name, event.note) == ("carol", "a new password was set by a link")
    changed = Event.objects.get(action="password.changed", ref="people/carol")
    assert (changed.actor_name, changed.origin) == ("carol", "web")


@pytest.mark.usefixtures("mailed")
def test_it_ends_all_links_when_the_password_is_changed(
    adam: User, carol: User, carol_client: Client
) -> None:
    _, secret = invitations.new_password_link(carol, actor=adam)
    path = mailed_link(Client())

    carol_client.post("/accounts/password/change/", {"oldpassword": PASSWORD, **BOTH})

    carol.refresh_from_db()
    assert carol.check_password(NEW)
    assert carol_client.get("/preferences").status_code == 200
    assert not opens(f"/new-password/{secret}")
    assert not opens(path)
    changed = Event.objects.get(action="password.changed", ref="people/carol")
    assert (changed.actor_name, changed.origin) == ("carol", "web")


def test_it_gives_no_link_back_with_the_sign_in(adam: User, carol: User) -> None:
    _, secret = invitations.new_password_link(carol, actor=adam)
    assert opens(f"/new-password/{secret}")

    services.deactivate(carol, actor=adam)
    services.reactivate(carol, actor=adam)

    assert not opens(f"/new-password/{secret}")


@pytest.mark.usefixtures("mailed")
def test_it_tells_nobody_whether_an_address_is_here(client: Client, carol: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": "carol@example.com"}, follow=True)
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"}, follow=True)

    assert known.redirect_chain == unknown.redirect_chain
    assert mail.outbox == []
    do_jobs()
    assert [sent.to for sent in mail.outbox] == [["carol@example.com"]]


@pytest.mark.usefixtures("mailed")
def test_it_does_the_same_work_whether_an_address_is_here_or_not(carol: User) -> None:
    make_person("dora", is_active=False)
    statements = []
    for name in ("carol", "nobody", "dora"):
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            Client().post("/accounts/password/reset/", {"email": f"{name}@example.com"})
        statements.append([query["sql"].split()[0] for query in captured.captured_queries])

    assert statements[0] == statements[1] == statements[2]
    assert jobs().count() == 3


@pytest.mark.usefixtures("mailed")
def test_it_mails_to_the_stored_address_whatever_spelling_was_typed(carol: User) -> None:
    Client().post("/accounts/password/reset/", {"email": "CAROL@\uff25xample.com"})
    do_jobs()

    assert [sent.to for sent in mail.outbox] == [["carol@example.com"]]


@pytest.mark.usefixtures("mailed")
def test_it_mails_nothing_to_somebody_deactivated(carol: User) -> None:
    User.objects.update(is_active=False)
    Client().post("/accounts/password/reset/", {"email": "carol@example.com"})

    do_jobs()

    assert mail.outbox == []


@pytest.mark.usefixtures("mailed")
def test_it_fills_nobodys_mailbox(carol: User) -> None:
    answers = [
        Client().post(
            "/accounts/password/reset/", {"email": address}, REMOTE_ADDR=f"192.0.2.{number}"
        )
        for number, address in enumerate(["carol@example.com", "Carol@Example.com"] * 5)
    ]

    assert {answer["Location"] for answer in answers} == {"/accounts/password/reset/done/"}
    assert jobs().count() == 6


@pytest.mark.usefixtures("carol")
def test_it_makes_no_link_where_no_mail_goes_out(
    client: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    response = client.post("/accounts/password/reset/", {"email": "carol@example.com"})

    assert response.status_code == 422
    assert "Ask an admin for a link" in response.content.decode()
    assert mail.outbox == []
    assert "/accounts/password/reset/key/" not in "".join(capfd.readouterr())


def test_it_says_whom_to_ask_where_no_mail_goes_out(client: Client, carol: User) -> None:
    assert "Ask an admin for a link." in client.get("/accounts/login/").content.decode()
    assert "Ask an admin for a link" in client.get("/accounts/password/reset/").content.decode()
