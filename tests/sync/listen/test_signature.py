"""Only a webhook with the right secret, body and time is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewapp.sync.listen.signature import WINDOW, Verdict, sign, verify_signature

NOW = 1_790_000_000
BODY = b'{"event_id": "evt_1"}'
GOOD = sign(BODY, secret="s3cret", at=str(NOW))


def verdict(
    header: str, *, body: bytes = BODY, secret: str = "s3cret", now: float = NOW
) -> Verdict:
    return verify_signature(body, header, secret=secret, now=now)


def test_it_signs_as_the_vendor_describes() -> None:
    # HMAC-SHA256 under "key" of "1.", a value made with openssl.
    assert (
        sign(b"", secret="key", at="1")
        == "53123bc365c2fe4bee48bc5cc6cd6c19699147d43513154ed34277c7c063e80f"
    )


@pytest.mark.parametrize(
    "header",
    [
        f"t={NOW},v1={GOOD}",
        f"v1={GOOD},t={NOW}",
        f" t={NOW} , v1={GOOD} ",
        f"t={NOW},v1={'0' * 64},v1={GOOD}",
        f"t={NOW},v0=abc,v1={GOOD},v2=xyz,future",
    ],
)
def test_it_believes_a_right_signature(header: str) -> None:
    assert verdict(header) is Verdict.GENUINE


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1",
        GOOD,
        f"v1={GOOD}",
        f"t={NOW}",
        f"t={NOW},v1=",
        f"t={NOW},v2={GOOD}",
        f"t={NOW + 1},v1={GOOD}",
        f"t={NOW},t={NOW},v1={GOOD}",
        f"t=+{NOW},v1={GOOD}",
        f"t={NOW}.0,v1={GOOD}",
        f"t=-1,v1={GOOD}",
        f"t={'9' * 5000},v1={GOOD}",
        f"t={NOW},v1={GOOD[:-1]}",
        f"t={NOW},v1={GOOD}0",
        f"t={NOW}," + ",".join(f"v1={number:064}" for number in range(50)) + f",v1={GOOD}",
        "t=\u0661\u0662,v1=\udcff",
    ],
)
def test_it_believes_nothing_else(header: str) -> None:
    assert verdict(header) is Verdict.FORGED


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (0, Verdict.GENUINE),
        (WINDOW, Verdict.GENUINE),
        (-WINDOW, Verdict.GENUINE),
        (WINDOW + 1, Verdict.STALE),
        (-WINDOW - 1, Verdict.STALE),
        (10**9, Verdict.STALE),
    ],
)
def test_it_holds_the_window_both_ways(off: int, said: Verdict) -> None:
    assert verdict(f"t={NOW},v1={GOOD}", now=NOW + off) is said


def test_it_calls_forged_what_is_both_forged_and_stale() -> None:
    assert verdict(f"t={NOW},v1={'0' * 64}", now=NOW + 10**6) is Verdict.FORGED


def test_it_believes_nobody_without_a_secret() -> None:
    unsigned = sign(BODY, secret="", at=str(NOW))
    assert verdict(f"t={NOW},v1={unsigned}", secret="") is Verdict.FORGED


@given(
    body=st.binary(), secret=st.text(min_size=1), at=st.integers(0, 10**12 - 1), header=st.text()
)
def test_it_judges_anything(body: bytes, secret: str, at: int, header: str) -> None:
    assert (
        verify_signature(body, header, secret="a secret nobody guesses", now=at) is Verdict.FORGED
    )
    signed = sign(body, secret=secret, at=str(at))
    assert verify_signature(body, f"t={at},v1={signed}", secret=secret, now=at) is Verdict.GENUINE
    assert (
        verify_signature(body + b"x", f"t={at},v1={signed}", secret=secret, now=at)
        is Verdict.FORGED
    )
    assert (
        verify_signature(body, f"t={at},v1={signed}", secret=secret + "x", now=at) is Verdict.FORGED
    )
