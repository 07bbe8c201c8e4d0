"""What was sent and what was answered, one JSON object a line, written as it happens and read back
as values.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

ACKNOWLEDGED, TURNED_DOWN, UNEXPECTED, NEVER_ANSWERED = (
    "acknowledged",
    "turned down",
    "unexpected",
    "never answered",
)


@dataclass(frozen=True, kw_only=True)
class Submit:
    """One form, sent until there was an answer.

    `ref` is the item's; `typed` what its person fill_form in, as it should be kept; `words` is what
    the form held of confidence and reasoning when it was sent, which is all that the decision may
    hold of them; `sent` and `answered` are seconds on one clock; `answers` says what came back each
    time, "lost" for nothing at all; `seconds` is how long each answer took.
    """

    decision_id: str
    step: str
    ref: str
    person: str
    outcome: str
    typed: dict[str, Any]
    words: dict[str, Any]
    cannot_tell: bool
    sent: float
    answered: float
    answers: list[str]
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ForeignEdit:
    """One edit of a stranger, acknowledged upstream."""

    step: str
    annotation_id: str
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """One decision whose person undid it, acknowledged."""

    step: str
    decision_id: str


@dataclass(kw_only=True)
class JournalEntries:
    """Everything a journal holds; `steps` are the names of those that came to an end."""

    submits: list[Submit] = field(default_factory=list)
    foreign: list[ForeignEdit] = field(default_factory=list)
    taken_back: list[TakenBack] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)


class Journal:
    """Appends to a file, from any thread."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", encoding="utf-8")
        self._lock = Lock()

    def write(self, entry: Submit | ForeignEdit | TakenBack) -> None:
        """Keep what happened."""
        self._line({"kind": type(entry).__name__, **asdict(entry)})

    def finish(self, step: str) -> None:
        """Note that a step is over, whatever came of it."""
        self._line({"kind": "step", "step": step})

    def _line(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._file.write(f"{json.dumps(entry)}\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(file: Path) -> JournalEntries:
    """Return what a journal holds; a last line cut off in the middle is left out."""
    kept = JournalEntries()
    for line in file.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            continue
        entry = json.loads(line)
        match entry.pop("kind"):
            case "Submit":
                kept.submits.append(Submit(**entry))
            case "ForeignEdit":
                kept.foreign.append(ForeignEdit(**entry))
            case "TakenBack":
                kept.taken_back.append(TakenBack(**entry))
            case _:
                kept.steps.append(entry["step"])
    return kept


def steps_done(file: Path) -> int:
    """Return how many steps are over; cheap enough to be asked again and again."""
    try:
        return file.read_bytes().count(b'{"kind": "step"')
    except FileNotFoundError:
        return 0
