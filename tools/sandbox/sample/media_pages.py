"""Writes the PDFs, by hand and with real text in them; run by developers through media_make.py."""

from __future__ import annotations

import textwrap
from pathlib import Path

from tools.sandbox.sample.papers import PAPERS, paper

_TITLE_SIZE = 20
_TEXT_SIZE = 11


def draw_pages(folder: Path) -> None:
    """Write one PDF for each paper, one to three pages."""
    for number in range(PAPERS):
        title, paragraphs = paper(number)
        (folder / f"paper-{number:02d}.pdf").write_bytes(pdf(title, paragraphs))


def pdf(title: str, paragraphs: list[str]) -> bytes:
    """Return a PDF with the title on each page and the wrapped paragraphs, 44 lines a page."""
    lines = []
    for paragraph in paragraphs:
        lines += [*textwrap.wrap(paragraph, 84), ""]

    pages = [lines[start : start + 44] for start in range(0, len(lines), 44)]
    bodies = [
        _page_text(title, page, number, len(pages)) for number, page in enumerate(pages, start=1)
    ]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, body in enumerate(bodies):
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        page = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {resources}"
            f" /Contents {5 + 2 * number} 0 R >>"
        )
        objects.append(page.encode())
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(body), body))
    return _assembled(objects)


def _page_text(title: str, lines: list[str], number: int, count: int) -> bytes:
    parts = [
        (
            f"0.12 0.24 0.42 rg 0 790 595 52 re f 1 1 1 rg"
            f" BT /F1 {_TITLE_SIZE} Tf 48 808 Td ({_escaped(title)}) Tj ET"
        ),
        f"0.1 0.1 0.12 rg BT /F1 {_TEXT_SIZE} Tf 15.5 TL 48 752 Td",
    ]
    parts += [f"({_escaped(line)}) Tj T*" for line in lines]
    parts.append(f"ET BT /F1 9 Tf 500 30 Td (page {number} of {count}) Tj ET")
    return "\n".join(parts).encode("cp1252", "replace")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _assembled(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return bytes(out)
