"""Do these values keep what we promise? Pure, and written without any of the app's own code.

Each check returns what it looked at, in a few words, and what is wrong. A drill has passed when
nothing is.
"""

from __future__ import annotations

from tools.drill.checks.abuse import ABUSE
from tools.drill.checks.delivery import DELIVERY
from tools.drill.checks.history import HISTORY
from tools.drill.checks.submits import SUBMITS
from tools.drill.collect import World
from tools.drill.findings import Verdict

CHECKS = {**SUBMITS, **DELIVERY, **HISTORY}


def judge(world: World, *, abuse: bool = False) -> list[Verdict]:
    """Return the verdict on each promise; with `abuse` also on the response times."""
    checks = CHECKS
    if abuse:
        checks = CHECKS | ABUSE

    verdicts = []
    for promise, check in checks.items():
        figure, violations = check(world)
        verdicts.append(Verdict(promise=promise, figure=figure, faults=violations))
    return verdicts
