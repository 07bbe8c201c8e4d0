"""Every pair of text and ground that the tokens define can be read: WCAG 2.2 AA, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

SHEET = (Path(settings.BASE_DIR) / "static" / "css" / "base.css").read_text()
TEXT, PART = 4.5, 3.0
GROUNDS = ("ground", "surface", "sunken", "hover")
PAIRS = [
    *[("text", ground, TEXT) for ground in GROUNDS],
    *[("text-strong", ground, TEXT) for ground in GROUNDS],
    *[("text-muted", ground, TEXT) for ground in GROUNDS],
    *[("link", ground, TEXT) for ground in (*GROUNDS, "accent-soft")],
    *[(tone, f"{tone}-soft", TEXT) for tone in ("ok", "warn", "bad", "info", "quiet")],
    ("text", "accent-soft", TEXT),
    *[("on-accent", accent, TEXT) for accent in ("accent", "accent-hover")],
    *[("control-border", ground, PART) for ground in ("surface", "ground")],
    ("link", "surface", PART),
    ("meter", "quiet-soft", PART),
]


def tokens(theme: str) -> dict[str, str]:
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", SHEET))
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\);", SHEET):
        colours[name] = {"light": light, "dark": dark}[theme]
    return colours


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def test_it_measures_as_the_standard_says() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground", "least"), PAIRS)
def test_it_can_be_read(theme: str, text: str, ground: str, least: float) -> None:
    colours = tokens(theme)
    assert contrast(colours[text], colours[ground]) >= least
