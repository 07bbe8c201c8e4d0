"""The preferences page: theme, media, keys."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.accounts.models import User
from reviewapp.accounts.people import keymap
from tests.collapsed import collapsed

URL = "/preferences"


def fields(**changed: Any) -> dict[str, Any]:
    return {"theme": "system", "single_keys": "on", **changed}


def test_it_shows_how_things_are(alice_client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(theme="dark", blur_media=True, key_map={"skip": "q"})

    page = alice_client.get(URL)

    form = page.context["form"]
    assert form["theme"].value() == "dark"
    assert form["blur_media"].value() is True
    assert form["key_skip"].value() == "q"
    assert "with the role reviewer" in collapsed(page)


def test_it_offers_every_action_that_has_a_single_key(alice_client: Client) -> None:
    offered = {field.name for field in alice_client.get(URL).context["form"].key_fields()}

    assert offered == {f"key_{key.action}" for key in keymap.changeable_keys()}
    assert {"key_skip", "key_defer", "key_sheet"} <= offered
    assert not offered & {"key_label", "key_submit"}


def test_it_saves_everything(alice_client: Client, alice: User) -> None:
    sent = fields(
        theme="dark",
        blur_media="on",
        greyscale_media="on",
        mute_media="on",
        key_skip="Q",
        key_defer="ß",
    )
    del sent["single_keys"]

    response = alice_client.post(URL, sent)

    assert (response.status_code, response["Location"]) == (302, URL)
    alice.refresh_from_db()
    assert (alice.theme, alice.single_keys) == ("dark", False)
    assert (alice.blur_media, alice.greyscale_media, alice.mute_media) == (True, True, True)
    assert alice.key_map == {"skip": "q", "defer": "ß"}
    assert 'data-theme="dark"' in collapsed(alice_client.get(URL))


@pytest.mark.parametrize(("typed", "kept"), [("", None), ("0", 0), ("12", 12), ("60", 60)])
def test_it_keeps_for_how_long_undo_takes_back(
    alice_client: Client, alice: User, typed: str, kept: int | None
) -> None:
    assert alice_client.post(URL, fields(undo_seconds=typed)).status_code == 302

    alice.refresh_from_db()
    assert alice.undo_seconds == kept
    page = alice_client.get(URL)
    assert page.context["form"]["undo_seconds"].value() == kept
    assert f"Default: {settings.UNDO_SECONDS}." in collapsed(page)


def test_it_keeps_only_what_differs_from_the_actions_own_key(
    alice_client: Client, alice: User
) -> None:
    alice_client.post(URL, fields(key_skip="s", key_defer=""))

    alice.refresh_from_db()
    assert alice.key_map == {}


def test_it_lets_two_actions_swap_their_keys(alice_client: Client, alice: User) -> None:
    assert alice_client.post(URL, fields(key_skip="d", key_defer="s")).status_code == 302

    alice.refresh_from_db()
    assert alice.key_map == {"skip": "d", "defer": "s"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"theme": "pink"}, "theme"),
        ({"undo_seconds": "61"}, "undo_seconds"),
        ({"undo_seconds": "-1"}, "undo_seconds"),
        ({"undo_seconds": "soon"}, "undo_seconds"),
        ({"theme": ""}, "theme"),
        ({"key_skip": "d"}, "key_skip"),
        ({"key_skip": "q", "key_defer": "Q"}, "key_defer"),
        ({"key_skip": "ab"}, "key_skip"),
        ({"key_skip": "7"}, "key_skip"),
        ({"key_skip": "٣"}, "key_skip"),
        ({"key_skip": "\0"}, "key_skip"),
        ({"key_skip": "\u200b"}, "key_skip"),
        ({"key_skip": "x" * 10_000}, "key_skip"),
    ],
)
def test_it_refuses_and_shows_where(
    alice_client: Client, alice: User, changed: dict[str, str], field: str
) -> None:
    response = alice_client.post(URL, fields(blur_media="on", **changed))

    assert response.status_code == 422
    assert field in response.context["form"].errors
    page = collapsed(response)
    assert "Not saved." in page
    assert 'name="blur_media" checked' in page
    alice.refresh_from_db()
    assert (alice.theme, alice.blur_media, alice.key_map) == ("system", False, {})


def test_it_refuses_an_empty_form(alice_client: Client) -> None:
    assert alice_client.post(URL, {}).status_code == 422


def test_it_changes_nobody_else(alice_client: Client, bob: User) -> None:
    alice_client.post(URL, fields(theme="dark"))

    bob.refresh_from_db()
    assert bob.theme == "system"


def test_it_is_for_everybody_who_can_sign_in(client: Client, stranger: User) -> None:
    client.force_login(stranger)

    assert "without a role yet" in collapsed(client.get(URL))


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_it_knows_no_other_method(alice_client: Client, method: str) -> None:
    assert getattr(alice_client, method)(URL).status_code == 405


@pytest.mark.parametrize(
    ("back", "to"),
    [
        ("", URL),
        ("/annotations?status=waiting", "/annotations?status=waiting"),
        ("https://evil.example/", URL),
        ("//evil.example", URL),
    ],
)
def test_it_changes_the_theme_alone_and_goes_back(
    alice_client: Client, alice: User, back: str, to: str
) -> None:
    response = alice_client.post("/preferences/theme", {"theme": "light", "next": back})

    assert (response.status_code, response["Location"]) == (302, to)
    alice.refresh_from_db()
    assert alice.theme == "light"


def test_it_stays_on_the_page_and_tells_it_the_theme(alice_client: Client, alice: User) -> None:
    response = alice_client.post(
        "/preferences/theme", {"theme": "dark"}, headers={"HX-Request": "true"}
    )

    assert (response.status_code, response["HX-Trigger"]) == (204, '{"theme": {"value": "dark"}}')
    alice.refresh_from_db()
    assert alice.theme == "dark"


def test_it_refuses_an_unknown_theme(alice_client: Client, alice: User) -> None:
    assert alice_client.post("/preferences/theme", {"theme": "pink"}).status_code == 422
    assert alice_client.post("/preferences/theme", {}).status_code == 422
    assert alice_client.get("/preferences/theme").status_code == 405


@given(st.text(max_size=3))
def test_it_holds_a_good_key_for_good(typed: str) -> None:
    try:
        key = keymap.parse_key(typed)
    except ValueError as refused:
        assert str(refused).endswith(".")
    else:
        assert keymap.parse_key(key) == key
        assert len(key) == 1
        assert key.isprintable()
        assert not key.isspace()
        assert not key.isdigit()


@given(
    st.dictionaries(
        st.sampled_from([key.action for key in keymap.changeable_keys()]),
        st.sampled_from("abcdjkrsx/"),
    )
)
def test_it_finds_a_clash_exactly_when_a_key_would_do_two_things(wanted: dict[str, str]) -> None:
    keys = keymap.changeable_keys()
    in_use = [wanted.get(key.action, key.single) for key in keys]

    assert bool(keymap.find_conflicts(wanted, keys)) == (len(set(in_use)) < len(in_use))
