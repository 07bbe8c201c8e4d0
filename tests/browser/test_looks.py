"""Every page is legible and usable in both themes, wide and narrow, also with long words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.api.models import ApiToken
from tests.desk import Desk
from tests.factories import make_annotation, make_change, make_execution, make_retriever
from tests.proofs import long

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "word-without-an-end-" * 4
RULES = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size"]}}
WIDE = {
    "color_scheme": "light",
    "viewport": {"width": 1280, "height": 800},
    "reduced_motion": "reduce",
}
NARROW = {
    "color_scheme": "dark",
    "viewport": {"width": 360, "height": 740},
    "reduced_motion": "reduce",
}


def addresses(person: User) -> list[str]:
    """Return pages that no other test of looks opens, with something long on each."""
    retriever = make_retriever(LONG, tags=[LONG, "vans"], description=LONG)
    other = make_retriever("Another", tags=["vans"])
    execution = make_execution(retriever)
    change = make_change(make_annotation(retriever, label=LONG), "refused", reason=LONG)
    token = ApiToken.objects.create(
        owner=person,
        name=LONG,
        digest="0" * 64,
        prefix="rvw_abcd",
        expires_at=timezone.now() + timedelta(days=3),
    )
    picked = f"?pk={retriever.pk}&pk={other.pk}&add={LONG},fleet&remove=vans"
    return [
        *map(
            reverse,
            (
                "retrievers",
                "deliveries",
                "attention",
                "history",
                "people",
                "invite",
                "tokens",
                "api_docs",
            ),
        ),
        *(
            reverse(name, args=[retriever.pk])
            for name in ("retriever", "edit_retriever", "label_set", "guidelines")
        ),
        reverse("tag_retrievers") + picked,
        reverse("execution", args=[execution.pk]),
        reverse("delivery", args=[change.pk]),
        reverse("revoke_token", args=[token.pk]),
        reverse("person", args=[person.pk]),
        "/nothing-is-here",
    ]


@pytest.mark.parametrize(
    "desk", [long(WIDE), NARROW], ids=["wide-light", "narrow-dark"], indirect=True
)
def test_it_can_be_read_and_pressed_and_holds_long_words(desk: Desk, adam: User) -> None:
    User.objects.filter(pk=adam.pk).update(theme="system")
    desk.sign_in(adam)
    for address in addresses(adam):
        desk.open(address)
        results = Axe().run(desk.page, options=RULES)
        assert results.violations_count == 0, f"{address}\n{results.generate_report()}"
        assert (
            desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        ), address
    assert desk.complaints == []


@pytest.mark.parametrize("desk", [NARROW], indirect=True)
def test_it_holds_a_long_address_beside_the_link_to_pass_on(desk: Desk, adam: User) -> None:
    desk.sign_in(adam)
    desk.open(reverse("invite"))
    desk.page.get_by_label("Email address").fill(f"{'long.' * 11}name@subdomain.example.com")
    desk.page.get_by_label("Reviewer").check()
    desk.page.get_by_role("button", name="Create link").click()
    desk.page.get_by_label("Link, shown only once").wait_for()
    assert desk.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
