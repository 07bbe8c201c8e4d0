"""The image collection: listings and street pictures that may or may not carry the real logo."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tools.sandbox.sample.generator import Json, blob, chance, day, document, lost_blob
from tools.sandbox.sample.multilingual import CAPTIONS
from tools.sandbox.sample.scenes import SCENES, Scene, scene

COLLECTION = "col_brand_images"
_PLACES = (
    ("DE", "Hamburg"),
    ("FR", "Lyon"),
    ("SE", "Malmö"),
    ("JP", "大阪"),
    ("GR", "Θεσσαλονίκη"),
    ("EG", "القاهرة"),
    ("IL", "תל אביב"),
    ("IN", "जयपुर"),
    ("US", "Portland"),
)
_SELLERS = (
    "harbour_deals",
    "Nordlicht Handel",
    "shop4you-24",
    "Maison Perrin",
    "outlet.direct",
    "kiosk-am-markt",
    "S. Okafor",
)
_CAPTIONS = {
    "shop front": (
        "Street view of a shop on {street}; the sign reads {shown} in capitals above a striped awning.",
        (
            "{shown} on the fascia, photographed from across the road at dusk. Two lit windows, door sign in the middle."
        ),
        "Corner shop with a new sign. A neighbour says {shown} moved in last week and sells {goods}.",
    ),
    "product shot": (
        "Unopened {goods} with the {shown} label turned to the camera. Plain background, soft shadow.",
        "{goods}, as new, label says {shown}. Ships tomorrow, no returns. Price is firm.",
        "Product photo from the seller's page: {shown} printed on the front label, SKU in the corner.",
    ),
    "poster": (
        "Poster in a station underpass: {shown}, large emblem, a price at the bottom.",
        "Advertisement for {goods} by {shown}, pasted over an older one; the edges are already lifting.",
        "Printed poster, {shown} across the top. The colours look a shade lighter than in the brand book.",
    ),
}
_STREETS = ("Quay Street", "Lindenallee", "Rue des Tanneurs", "Station Road", "Market Square")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the machine says of a document: a label, how sure it is, why, and which facts go along."""

    label: str
    confidence: float
    reasoning: str
    payload: Json


def documents() -> Iterator[Json]:
    """Yield the documents of the collection."""
    for number in range(SCENES):
        what = scene(number)
        pick = chance("brand", number)
        days = 2 + number * 0.3
        yield document(
            COLLECTION,
            number,
            days,
            fields=_fields(what, pick, days),
            blobs=_blobs(what, days),
            modality="image",
        )


def _blobs(what: Scene, days: float) -> list[Json]:
    if what.number == 17:
        reason = "The source object was removed by its bucket's lifecycle rule on 2026-10-30"
        return [lost_blob("image", "upload-20260930-0017.webp", reason)]
    return [blob("image", what.file_name, days)]


def _fields(what: Scene, pick: random.Random, days: float) -> Json:
    country, city = pick.choice(_PLACES)
    shown = what.shown or "no name"
    words = {"shown": shown, "goods": what.goods, "street": pick.choice(_STREETS)}
    is_product = what.kind == "product shot"
    caption = pick.choice(_CAPTIONS[what.kind]).format(**words)
    if country in CAPTIONS:
        caption = f"{CAPTIONS[country].format(**words)}\n{caption}"
    return {
        "title": f"{shown} {what.goods}, {what.kind} in {city}",
        "caption": caption,
        "brand": what.firm,
        "setting": what.kind,
        "seller": pick.choice(_SELLERS),
        "country": country,
        "city": city,
        "price": round(pick.uniform(8, 260), 2) if is_product else None,
        "currency": "EUR" if is_product else None,
        "listed_at": day(days),
        "detection": {"brand": what.firm, "score": score(what), "box": [0.1, 0.18, 0.86, 0.4]},
        "first_seen_by": pick.choice(("crawler", "customs", "customer report")),
    }


def score(what: Scene) -> float:
    """Return how alike the detector finds the logo and the real one."""
    ranges = {"authentic": (0.82, 0.99), "no_logo": (0.05, 0.4), "unclear": (0.3, 0.7)}
    low, high = ranges.get(what.truth, (0.55, 0.93))
    return round(chance("score", what.number).uniform(low, high), 3)


def finding(number: int) -> Finding:
    """Return what the machine says of a document; now and then it is wrong."""
    what = scene(number)
    pick = chance("brand finding", number)
    label = what.truth
    if pick.random() >= 0.8:
        label = pick.choice(("authentic", "lookalike", "counterfeit"))
    reasons = {
        "authentic": (
            f"Letter spacing and emblem match the {what.firm} reference within tolerance; no other spelling found."
        ),
        "lookalike": (
            f"The sign reads '{what.shown or what.firm}'. Edit distance to "
            f"'{what.firm}' is small and the emblem is the same shape."
        ),
        "counterfeit": (
            f"The name is spelled as {what.firm} spells it, yet print edges are "
            "soft and the emblem sits lower than in the guide."
        ),
        "no_logo": (
            "No region of the picture exceeds the detection threshold; the emblem alone is not distinctive."
        ),
        "unclear": (
            "The picture is out of focus or tilted, so the lettering cannot be compared. A second picture would help."
        ),
    }
    return Finding(
        label=label,
        confidence=round(min(0.99, max(0.31, score(what) - pick.uniform(-0.05, 0.2))), 2),
        reasoning=reasons[label],
        payload={"brand": what.firm, "reads": what.shown, "logo_score": score(what)},
    )
