"""Nobody overwrites unseen a decision that changed no value."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services
from reviewapp.annotations.decide.exceptions import StaleSubmission
from reviewapp.annotations.models import Decision
from tests.decisions import filled_form, submission
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db


def test_it_does_not_relabel_what_somebody_has_confirmed_meanwhile(alice: User, bob: User) -> None:
    annotation = make_annotation(label="logo")
    mine = submission(annotation, label="no logo")
    services.decide(annotation.pk, submission(annotation), actor=bob)
    with pytest.raises(StaleSubmission) as caught:
        services.decide(annotation.pk, mine, actor=alice)
    assert (caught.value.conflicts, caught.value.theirs["label"]) == (["label"], "logo")
    assert Decision.objects.count() == 1


def test_it_lets_two_people_confirm_the_same_label(alice: User, bob: User) -> None:
    annotation = make_annotation(label="logo")
    mine = submission(annotation, confidence=0.9)
    services.decide(annotation.pk, submission(annotation), actor=bob)
    services.decide(annotation.pk, mine, actor=alice)
    assert Decision.objects.count() == 2


def test_it_shows_that_somebody_could_not_tell_and_why(
    client: Client, alice: User, bob: User
) -> None:
    annotation = make_annotation(label="logo")
    before, url = filled_form(annotation, label="no logo"), reverse("decide", args=[annotation.pk])
    cannot = submission(
        annotation, outcome=Decision.Outcome.UNDECIDABLE, reasoning="Too <b>blurred</b>."
    )
    services.decide(annotation.pk, cannot, actor=bob)
    client.force_login(alice)
    response = client.post(url, before)
    assert response.status_code == 409
    assert "Too &lt;b&gt;blurred&lt;/b&gt;." in response.content.decode()
    again = {**response.context["data"], "outcome": "decided"}
    assert client.post(url, again).status_code == 302
    annotation.refresh_from_db()
    assert (annotation.status, annotation.label, annotation.reviewer) == (
        "decided",
        "no logo",
        alice,
    )
