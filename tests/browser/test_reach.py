"""Nothing covers what can be pressed, on any page, wide or narrow."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from reviewapp.accounts.models import User
from tests.desk import Window
from tests.factories import make_annotation, make_change, make_execution, make_retriever

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Controls that are seen and that a press in their middle would miss, after scrolling to each. Rows
# are links as a whole where they say so (`row-link`), and what is in them lies on top.
_COVERED = """() => {
  const covered = [];
  for (const one of document.querySelectorAll("main :is(a[href], button, input, select, textarea, summary)")) {
    if (!one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    one.scrollIntoView({ block: "center", behavior: "instant" });
    const { x, y, width, height } = one.getClientRects()[0] ?? { width: 0 };
    if (!width || !height || one.closest(".visually-hidden")) continue;
    const hit = document.elementFromPoint(x + width / 2, y + height / 2);
    const label = hit?.closest("label");
    if (!hit || one.contains(hit) || hit.contains(one) && !hit.matches("a, button") || label?.control === one) continue;
    covered.push(`${one.outerHTML.slice(0, 120)} is under ${hit.outerHTML.slice(0, 120)}`);
  }
  return covered;
}"""


@pytest.mark.parametrize("width", [1280, 360])
def test_it_lays_nothing_over_what_one_can_press(
    window: Window, live_server: LiveServer, lena: User, alice: User, width: int
) -> None:
    retriever = make_retriever(tags=["brand", "vans"])
    execution = make_execution(retriever, requested_by=alice)
    annotation = make_annotation(
        retriever, title="A title of quite some length, so that it takes all of its row"
    )
    for state in ("delivered", "queued", "conflict", "refused"):
        make_change(
            make_annotation(retriever, reviewer=alice),
            state=state,
            fields={"label": "new"},
            attempts=1,
        )
    page = window(lena)
    page.set_viewport_size({"width": width, "height": 800})
    places = ("queue", "attention", "deliveries", "retrievers", "history", "preferences", "tokens")
    addresses = [
        *map(reverse, places),
        reverse("deliveries") + "?state=delivered",
        reverse("review", args=[annotation.pk]),
        reverse("retriever", args=[retriever.pk]),
        reverse("execution", args=[execution.pk]),
    ]
    for address in addresses:
        page.goto(live_server.url + address)
        assert page.evaluate(_COVERED) == [], address
