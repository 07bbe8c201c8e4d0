"""The journal of a drill: each submit, edit and undo as a JSON object on a line of its own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

# The outcomes of a submit.
ACKNOWLEDGED = "acknowledged"
TURNED_DOWN = "turned down"
UNEXPECTED = "unexpected"
NEVER_ANSWERED = "never answered"


@dataclass(frozen=True, kw_only=True)
class Submit:
    """One form, sent until there was a response.

    `ref` is the item's. `typed` are the values that its person typed, as they must be stored.
    `words` are the confidence and the reasoning in the form; the decision may hold no others.
    `sent` and `answered` are seconds on one clock. `answers` has the status of each try, "lost"
    without a response; `seconds` is how long each response took.
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
    """One edit of the external editor that upstream acknowledged."""

    step: str
    annotation_id: str
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """One decision that its person undid; the undo was acknowledged."""

    step: str
    decision_id: str


@dataclass(kw_only=True)
class JournalEntries:
    """Everything in a journal; `steps` are the names of the finished steps."""

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
        """Append an entry."""
        self._append({"kind": type(entry).__name__, **asdict(entry)})

    def finish(self, step: str) -> None:
        """Append that a step is finished, whatever its outcome."""
        self._append({"kind": "step", "step": step})

    def _append(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._file.write(f"{json.dumps(entry)}\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(file: Path) -> JournalEntries:
    """Return the entries of a journal; a last line that is incomplete is left out."""
    complete, _, _ = file.read_bytes().rpartition(b"\n")
    entries = JournalEntries()
    for line in complete.splitlines():
        entry = json.loads(line)
        match entry.pop("kind"):
            case "Submit":
                entries.submits.append(Submit(**entry))
            case "ForeignEdit":
                entries.foreign.append(ForeignEdit(**entry))
            case "TakenBack":
                entries.taken_back.append(TakenBack(**entry))
            case _:
                entries.steps.append(entry["step"])
    return entries


def steps_done(file: Path) -> int:
    """Return how many steps are finished; cheap, because it is called again and again."""
    try:
        return file.read_bytes().count(b'{"kind": "step"')
    except FileNotFoundError:
        return 0
