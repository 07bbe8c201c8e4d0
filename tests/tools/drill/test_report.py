"""The table says what was seen and what is broken, and passes only when all is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tools.drill.worlds import FIRST, submit
from tools.drill.findings import Verdict, Violation
from tools.drill.journal import ForeignEdit, Journal, read, steps_done
from tools.drill.report import Report

KEPT = Verdict(promise="nothing lost", figure="3 of 3", faults=[])
BROKEN = Verdict(
    promise="in order",
    figure="1",
    faults=[Violation(about=f"annotations/{n}", problem="is not") for n in range(7)],
)


def report(*verdicts: Verdict, stopped: str = "") -> Report:
    result = Report(
        command="make drill N=3",
        started="now",
        load=1.5,
        stopped=stopped,
        fault_counts={"429": 2},
    )
    result.verdicts = list(verdicts)
    return result


def test_it_passes_when_everything_is_kept() -> None:
    text = report(KEPT).markdown()
    assert report(KEPT).passed
    assert "| nothing lost | 3 of 3 | kept |" in text
    assert "2 faults: 2 429." in text


@pytest.mark.parametrize(
    "one",
    [report(KEPT, BROKEN), report(), report(KEPT, stopped="The crowd left.")],
)
def test_it_fails_otherwise(one: Report) -> None:
    assert not one.passed
    assert "**Failed.**" in one.markdown()
    assert json.loads(json.dumps(one.json()))["passed"] is False


def test_it_shows_the_first_few_that_are_broken_and_keeps_all() -> None:
    text = report(BROKEN).markdown()
    assert "**7 broken**" in text
    assert "annotations/4: is not" in text
    assert "and 2 more" in text
    assert len(report(BROKEN).json()["verdicts"][0]["faults"]) == 7


def test_it_reads_a_journal_back_even_when_its_last_line_is_cut(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    line = submit(FIRST, "1-1", "alice", {"label": "é\u2028\x85"}, 1.0)
    edit = ForeignEdit(step="1-1", annotation_id="ann_1", values={"label": "x"})
    journal = Journal(file)
    journal.write(line)
    journal.write(edit)
    journal.finish("1-1")
    journal.close()
    with file.open("a") as more:
        more.write('{"kind": "step"')
    kept = read(file)
    assert (kept.submits, kept.foreign, kept.steps) == ([line], [edit], ["1-1"])


def test_it_counts_the_steps_that_are_over(tmp_path: Path) -> None:
    assert steps_done(tmp_path / "none") == 0
    journal = Journal(tmp_path / "some")
    journal.finish("1-1")
    journal.finish("1-2")
    assert steps_done(tmp_path / "some") == 2
    journal.close()
