"""Skip, defer and resume: each leads to the next item and writes its event."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import skip
from reviewapp.annotations.models import Lease, SetAside
from reviewapp.audit.models import Event
from tests.factories import make_annotation, make_retriever, make_set_aside

pytestmark = pytest.mark.django_db

KINDS = [("skip", "skipped"), ("defer", "deferred")]


@pytest.mark.parametrize(("door", "kind"), KINDS)
def test_it_puts_the_item_aside_and_goes_on(
    client: Client, alice: User, door: str, kind: str
) -> None:
    retriever = make_retriever()
    first, second = (
        make_annotation(retriever, confidence=0.1),
        make_annotation(retriever, confidence=0.2),
    )
    client.force_login(alice)
    client.get(reverse("review", args=[first.pk]))
    response = client.post(reverse(door, args=[first.pk]), {"reason": "Too dark."})
    assert response.headers["Location"] == reverse("review", args=[second.pk])
    aside = SetAside.objects.get()
    assert (aside.person, aside.kind, aside.reason) == (alice, kind, "Too dark.")
    assert not Lease.objects.filter(annotation=first).exists()
    event = Event.objects.about(first.ref).doing(f"annotation.{kind}").get()
    assert (event.actor_name, event.note) == ("alice", "Too dark.")


@pytest.mark.parametrize(("door", "kind"), KINDS)
def test_it_changes_its_mind(client: Client, alice: User, door: str, kind: str) -> None:
    annotation = make_annotation()
    make_set_aside(annotation, alice, "deferred" if kind == "skipped" else "skipped", "before")
    client.force_login(alice)
    client.post(reverse(door, args=[annotation.pk]))
    aside = SetAside.objects.get()
    assert (aside.kind, aside.reason) == (kind, "")


@pytest.mark.parametrize("reason", ["x" * 501, "a\0b"])
@pytest.mark.parametrize(("door", "kind"), KINDS)
def test_it_refuses_a_bad_reason(
    client: Client, alice: User, door: str, kind: str, reason: str
) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    response = client.post(reverse(door, args=[annotation.pk]), {"reason": reason})
    assert response.status_code == 422
    assert "Not saved." in response.content.decode()
    assert f'name="reason" value="{reason}"' in response.text
    assert not SetAside.objects.exists()


def test_it_takes_up_again(client: Client, alice: User, bob: User) -> None:
    annotation = make_annotation()
    make_set_aside(annotation, alice)
    make_set_aside(annotation, bob)
    client.force_login(alice)
    response = client.post(reverse("resume", args=[annotation.pk]))
    assert response.headers["Location"] == reverse("review", args=[annotation.pk])
    assert SetAside.objects.get().person == bob


@pytest.mark.parametrize("door", ["skip", "defer", "resume"])
def test_it_refuses_get_strangers_and_the_unknown(
    client: Client, alice: User, stranger: User, door: str
) -> None:
    url = reverse(door, args=[make_annotation().pk])
    client.force_login(stranger)
    assert client.post(url).status_code == 403
    client.force_login(alice)
    assert client.get(url).status_code == 405
    assert client.post(reverse(door, args=[987654321])).status_code == 404


def test_it_says_on_the_page_what_one_has_put_aside(client: Client, alice: User) -> None:
    annotation = make_annotation()
    make_set_aside(annotation, alice, "deferred", "after lunch")
    client.force_login(alice)
    page = client.get(reverse("review", args=[annotation.pk])).content.decode()
    assert "You deferred this" in page
    assert "after lunch" in page


def test_it_says_which_roles_may_set_aside(stranger: User) -> None:
    annotation = make_annotation(make_retriever())

    with pytest.raises(PermissionDenied, match="Only reviewers, leads and admins can decide"):
        skip.put_aside(annotation, SetAside.Kind.SKIPPED, actor=stranger)
    with pytest.raises(PermissionDenied, match="Only reviewers, leads and admins can decide"):
        skip.resume_set_aside(annotation, actor=stranger)
