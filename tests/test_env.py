"""Settings from the environment: typed, and loud when wrong."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.env import Env

NAME = "SETTING"
words = st.text(min_size=1, max_size=40).filter(lambda text: text.strip() == text)
safe = st.text(
    st.characters(min_codepoint=33, exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20
)


def env(value: str) -> Env:
    return Env({NAME: value})


@pytest.mark.parametrize("value", [None, "", " ", "\t\n"])
def test_it_takes_the_default_for_what_is_absent_or_blank(value: str | None) -> None:
    absent = Env({} if value is None else {NAME: value})

    assert absent.text(NAME, "it") == "it"
    assert absent.flag(NAME, True) is True
    assert absent.number(NAME, 7, least=1, most=9) == 7
    assert absent.words(NAME, ["a"]) == ["a"]
    assert absent.url(NAME, "https://a.example") == "https://a.example"
    assert absent.database(NAME) == {}


@pytest.mark.parametrize("value", ["1", "true", "YES", "On", " on "])
def test_it_reads_what_is_on(value: str) -> None:
    assert env(value).flag(NAME, False) is True


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF"])
def test_it_reads_what_is_off(value: str) -> None:
    assert env(value).flag(NAME, True) is False


@given(words)
def test_it_never_guesses_a_flag(value: str) -> None:
    try:
        read = env(value).flag(NAME, False)
    except ImproperlyConfigured as error:
        assert NAME in str(error)
    else:
        assert value.lower() in (
            {"1", "true", "yes", "on"} if read else {"0", "false", "no", "off"}
        )


@given(st.integers(-10_000, 10_000))
def test_it_reads_a_number_in_its_bounds_only(value: int) -> None:
    if 1 <= value <= 9:
        assert env(str(value)).number(NAME, 5, least=1, most=9) == value
    else:
        with pytest.raises(
            ImproperlyConfigured,
            match=f"{NAME} is '{value}', which is not a whole number from 1 to 9",
        ):
            env(str(value)).number(NAME, 5, least=1, most=9)


@pytest.mark.parametrize("value", ["1.5", "1e3", "ten", "٣", "²", "1_0", "0x1", "+1", "9" * 30])
def test_it_refuses_what_only_looks_like_a_number(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{NAME}=5"):
        env(value).number(NAME, 5, least=1, most=9)


@given(st.lists(safe.filter(lambda text: "," not in text), min_size=1))
def test_it_reads_words(values: list[str]) -> None:
    assert env(" , ".join(values)).words(NAME, []) == values


@pytest.mark.parametrize(
    "value",
    [
        "api.mixpeek.com",
        "ftp://a.example",
        "https://",
        "javascript:x",
        "http:///path",
        "http://a:99999",
        "http://[a",
    ],
)
def test_it_refuses_what_is_no_http_url(value: str) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=f"{NAME} is .* not an http.*{NAME}=https://a.example"
    ):
        env(value).url(NAME, "https://a.example")


def test_it_drops_the_slash_at_the_end_of_a_url() -> None:
    assert env("http://127.0.0.1:8001/").url(NAME, "https://a.example") == "http://127.0.0.1:8001"


@given(
    user=safe,
    password=safe,
    port=st.integers(1, 65535),
    name=safe.filter(lambda text: text.strip("/") == text),
)
def test_it_reads_whatever_password_a_database_has(
    user: str, password: str, port: int, name: str
) -> None:
    url = f"postgresql://{quote(user, '')}:{quote(password, '')}@db.example:{port}/{quote(name, '')}?sslmode=require"

    assert env(url).database(NAME) == {
        "USER": user,
        "PASSWORD": password,
        "HOST": "db.example",
        "PORT": str(port),
        "NAME": name,
        "?sslmode": "require",
    }


def test_it_reads_a_database_behind_a_socket() -> None:
    read = env("postgres:///reviewapp?host=/run/postgresql&port=5433").database(NAME)

    assert (read["HOST"], read["PORT"], read["NAME"]) == ("/run/postgresql", "5433", "reviewapp")


@pytest.mark.parametrize(
    "value",
    [
        "mysql://u:hunter2@db.example/reviewapp",
        "postgresql://u:hunter2@db.example",
        "postgresql://u:hunter2@db.example/",
        "postgresql://u:hunter2@db.example:port/reviewapp",
        "postgresql://u:hunter2@db.example:99999/reviewapp",
        "u:hunter2@db.example/reviewapp",
        "postgresql://u:hunter2@[db.example/reviewapp",
        "reviewapp",
    ],
)
def test_it_refuses_another_database_without_showing_its_password(value: str) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=f"{NAME} .*For example: {NAME}=postgresql://"
    ) as refused:
        env(value).database(NAME)

    assert "hunter2" not in str(refused.value)


@given(st.text(max_size=60))
def test_it_reads_or_refuses_any_url_whatever(value: str) -> None:
    for reader in (env(value).database, lambda name: env(value).url(name, "https://a.example")):
        try:
            reader(NAME)
        except ImproperlyConfigured as error:
            assert str(error).startswith(NAME)
