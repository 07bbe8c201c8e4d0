"""The table of a drill, and the same as JSON with everything that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tools.drill.findings import Verdict

_MAX_LISTED = 5


@dataclass(kw_only=True)
class Report:
    """The report of one drill.

    `started` is UTC, `seconds` are by part, `fault_counts` by kind of fault, and `ended` counts the
    processes that ended by themselves, by name.
    """

    command: str
    started: str
    load: float
    seconds: dict[str, float] = field(default_factory=dict)
    fault_counts: Mapping[str, int] = field(default_factory=dict)
    ended: Mapping[str, int] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    stopped: str = ""

    @property
    def passed(self) -> bool:
        """Whether the drill came to its end and nothing is wrong."""
        is_broken = any(verdict.faults for verdict in self.verdicts)
        return not self.stopped and bool(self.verdicts) and not is_broken

    def markdown(self) -> str:
        """Return the table."""
        times = ", ".join(f"{name} {seconds:,.0f} s" for name, seconds in self.seconds.items())
        lines = [
            f"`{self.command}`, {self.started}, load {self.load:.1f}: {times}.",
            "",
            f"{sum(self.fault_counts.values())} faults: {_counts(self.fault_counts)}.",
        ]
        if self.ended:
            lines.append(f"Ended by themselves and started again: {_counts(self.ended)}.")
        lines.append("")

        if self.verdicts:
            lines += ["| promise | seen | |", "|---|---|---|"]
            for verdict in self.verdicts:
                lines.append(f"| {verdict.promise} | {verdict.figure} | {_result(verdict)} |")
        lines.append("")

        if self.passed:
            lines.append("**Passed.**")
        else:
            lines.append(f"**Failed.** {self.stopped}".rstrip())

        violations = self._violations()
        if violations:
            lines += ["", *violations]
        return "\n".join(lines) + "\n"

    def _violations(self) -> list[str]:
        lines = []
        for verdict in self.verdicts:
            for violation in verdict.faults[:_MAX_LISTED]:
                about = f"{violation.about}: {violation.problem} {violation.evidence or ''}"
                lines.append(f"- {verdict.promise}: {about}".rstrip())
            rest = len(verdict.faults) - _MAX_LISTED
            if rest > 0:
                lines.append(f"- {verdict.promise}: and {rest} more")
        return lines

    def json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        plain = replace(self, fault_counts=dict(self.fault_counts), ended=dict(self.ended))
        return {**asdict(plain), "passed": self.passed}


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _result(verdict: Verdict) -> str:
    if verdict.faults:
        return f"**{len(verdict.faults)} broken**"
    return "kept"
