"""The texts of the sample's PDFs: invoices, notices and reports of firms that do not exist."""

from __future__ import annotations

import random

PAPERS = 14
_SUPPLIERS = (
    "Lindqvist Print AB",
    "Hafen Logistik GmbH",
    "Oakrow Catering",
    "Serrano y Ribas SL",
    "Bluefin Marine",
)
_ITEMS = (
    "A2 posters, matte",
    "shelf signs",
    "pallet, one way",
    "window foil per m2",
    "courier, same day",
)
_FINDINGS = (
    "The east entrance camera was replaced and its field of view now covers the loading bay.",
    "Two of the fourteen smoke detectors on level 2 failed the functional test and were exchanged on site.",
    "Visitors asked most often for the opening hours, the accessible entrance and the refund terms.",
    "Complaints about delivery fell from 61 to 38 in the quarter, while complaints about packaging rose.",
    "The supplier has confirmed in writing that the adhesive contains no solvents above the reporting limit.",
    "Footfall on Saturdays was 12 percent above the forecast; the new window display is the likely cause.",
    "The contract may be ended by either party with three months' notice to the end of a calendar quarter.",
)


def paper(number: int) -> tuple[str, list[str]]:
    """Return the title and the paragraphs of a paper."""
    chance = random.Random(f"paper {number}")  # noqa: S311 - must come out the same each time
    return (_invoice, _report)[number % 2](number, chance)


def _invoice(number: int, chance: random.Random) -> tuple[str, list[str]]:
    supplier = chance.choice(_SUPPLIERS)
    rows = []
    total = 0
    for position in range(1, chance.randint(4, 8)):
        count = chance.randint(1, 40)
        price = chance.randint(300, 9_900)
        item = chance.choice(_ITEMS)
        amount = count * price
        total += amount
        rows.append(
            f"{position}.  {count} x {item} at {price / 100:.2f} EUR = {amount / 100:.2f} EUR"
        )
    head = (
        f"Invoice {2026_100 + number}, {supplier}. Delivered to the "
        f"warehouse at 14 Quay Street, dock {chance.randint(1, 9)}."
    )
    tail = (
        f"Total: {total / 100:.2f} EUR. Payable within 30 days, quoting the number of this invoice."
    )
    return f"Invoice {2026_100 + number}", [head, *rows, tail]


def _report(number: int, chance: random.Random) -> tuple[str, list[str]]:
    site = chance.choice(
        ("Harbour Mall", "Northgate Store", "Riverside Depot", "Central Station Kiosk"),
    )
    opening = f"This report sums up the inspection of {site} and what was agreed with the manager on duty."
    sections = []
    for section in range(1, chance.randint(5, 13)):
        sections.append(f"{section}. " + " ".join(chance.sample(_FINDINGS, 4)))
    closing = "Open points are reviewed in the next meeting; photographs are kept with the original of this report."
    return f"Inspection report: {site}", [opening, *sections, closing]
