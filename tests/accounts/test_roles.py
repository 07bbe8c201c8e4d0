"""The three roles: groups made by migrate, each with what it may."""

from __future__ import annotations

import pytest

from reviewapp.accounts.models import User


@pytest.mark.django_db
def test_it_lets_a_lead_do_what_a_reviewer_may(lena: User, alice: User) -> None:
    assert alice.get_all_permissions() < lena.get_all_permissions()
