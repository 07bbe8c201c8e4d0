"""The table of a drill, and the same as JSON with everything that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tools.drill.findings import Verdict

_SHOWN = 5


@dataclass(kw_only=True)
class Report:
    """One drill: its command, when it began (UTC), how long each part took (seconds), what was dealt, the verdicts."""

    command: str
    started: str
    load: float
    seconds: dict[str, float] = field(default_factory=dict)
    dealt: Mapping[str, int] = field(default_factory=dict)
    ended: Mapping[str, int] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    stopped: str = ""

    @property
    def passed(self) -> bool:
        """Whether the drill came to its end and nothing is wrong."""
        return not self.stopped and bool(self.verdicts) and not any(each.faults for each in self.verdicts)

    def markdown(self) -> str:
        """Return the table."""
        took = ", ".join(f"{name} {seconds:,.0f} s" for name, seconds in self.seconds.items())
        dealt = ", ".join(f"{many} {kind}" for kind, many in sorted(self.dealt.items()))
        ended = ", ".join(f"{many} {name}" for name, many in sorted(self.ended.items()))
        rows = [f"| {each.promise} | {each.figure} | {_word(each)} |" for each in self.verdicts]
        lines = [
            f"`{self.command}`, {self.started}, load {self.load:.1f}: {took}.",
            "",
            f"{sum(self.dealt.values())} faults: {dealt}.",
            *([f"Ended by themselves and started again: {ended}."] if ended else []),
            "",
            *(["| promise | seen | |", "|---|---|---|", *rows] if rows else []),
            "",
            "**Passed.**" if self.passed else f"**Failed.** {self.stopped}".rstrip(),
        ]
        return "\n".join([*lines, *self._wrong()]) + "\n"

    def _wrong(self) -> list[str]:
        lines = []
        for verdict in self.verdicts:
            for fault in verdict.faults[:_SHOWN]:
                lines.append(
                    f"- {verdict.promise}: {fault.about}: {fault.what} {fault.seen or ''}".rstrip(),
                )
            if len(verdict.faults) > _SHOWN:
                lines.append(f"- {verdict.promise}: and {len(verdict.faults) - _SHOWN} more")
        return ["", *lines] if lines else []

    def json(self) -> dict[str, Any]:
        """Return everything."""
        plain = replace(self, dealt=dict(self.dealt), ended=dict(self.ended))
        return {**asdict(plain), "passed": self.passed}


def _word(verdict: Verdict) -> str:
    return f"**{len(verdict.faults)} broken**" if verdict.faults else "kept"
