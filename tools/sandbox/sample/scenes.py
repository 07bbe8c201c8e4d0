"""What the sample's pictures and listings show: one scene for each number, always the same."""

from __future__ import annotations

import random
from dataclasses import dataclass

SCENES = 216
KINDS = ("shop front", "product shot", "poster")
FIRMS = {
    "Norrvik": ("#0b3c5d", "#f2c14e", "outdoor gear", "triangle"),
    "Calyo": ("#7b2d5b", "#f6d7e8", "skin care", "drop"),
    "Brassmoor": ("#3a2e1f", "#d9a441", "coffee", "ring"),
    "Tessaru": ("#0f5e4e", "#c8f0dd", "running shoes", "wave"),
    "Okuni": ("#b3261e", "#fff1e6", "headphones", "disc"),
    "Velmont": ("#1d1d2b", "#b7a0ff", "watches", "star"),
    "Pinecrest": ("#27512e", "#e8f3d6", "organic food", "leaf"),
    "Halden": ("#1f4e8c", "#dce9fb", "bicycles", "wheel"),
    "Mirasol": ("#d9541e", "#fff0c9", "sunglasses", "sun"),
}
TWINS = {
    "Norrvik": "Norrvick",
    "Calyo": "Calyyo",
    "Brassmoor": "Brasmoor",
    "Tessaru": "Tessaro",
    "Okuni": "Okunni",
    "Velmont": "Velmonte",
    "Pinecrest": "Pine Crest",
    "Halden": "Haldon",
    "Mirasol": "Mira Sol",
}
TRUTHS = (
    "authentic",
    "authentic",
    "authentic",
    "lookalike",
    "lookalike",
    "counterfeit",
    "no_logo",
    "unclear",
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One picture: whose logo it carries (spelled as `shown`), on what, and what it truly is."""

    number: int
    firm: str
    shown: str
    kind: str
    truth: str
    dark: str
    light: str
    goods: str
    sign: str

    @property
    def file_name(self) -> str:
        """The picture's file under media/."""
        return f"brand-{self.number:03d}.webp"


def scene(number: int) -> Scene:
    """Return the scene with this number."""
    pick = random.Random(f"scene {number}")  # noqa: S311 - the sample must come out the same each time
    firm = pick.choice(sorted(FIRMS))
    dark, light, goods, sign = FIRMS[firm]
    truth = pick.choice(TRUTHS)
    shown = {"lookalike": TWINS[firm], "no_logo": ""}.get(truth, firm)
    kind = KINDS[number % len(KINDS)]
    return Scene(
        number=number,
        firm=firm,
        shown=shown,
        kind=kind,
        truth=truth,
        dark=dark,
        light=light,
        goods=goods,
        sign=sign,
    )
