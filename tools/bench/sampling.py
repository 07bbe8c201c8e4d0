"""Take the samples: each scenario runs right after its baseline, so that noise meets both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from tools.bench.scenarios import BASELINES, SCENARIOS, Scenario, SiteClients
from tools.bench.stats import Pair

_WARM_UP_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Seconds of one scenario in one round, of its baseline, and of the barest view."""

    view: float
    baseline: float
    scenario: float


def sample(
    sites: Sequence[SiteClients],
    *,
    rounds: int,
) -> Iterator[tuple[int, Scenario, Pair, Pair]]:
    """Run all rounds, then yield the measurements of each scenario and site.

    Yields (count, scenario, its pair with its baseline, its pair with the barest view).
    """
    samples: dict[tuple[int, str], list[Sample]] = defaultdict(list)
    runs = list(product(SCENARIOS, sites))
    for number in range(rounds + _WARM_UP_ROUNDS):
        for scenario, clients in runs:
            measured = _run_once(scenario, clients)
            if number >= _WARM_UP_ROUNDS:
                samples[clients.site.count, scenario.name].append(measured)

    for scenario, clients in runs:
        count = clients.site.count
        rows = samples[count, scenario.name]
        ours = tuple(row.scenario for row in rows)
        baselines = tuple(row.baseline for row in rows)
        views = tuple(row.view for row in rows)
        yield count, scenario, Pair(ours=ours, bare=baselines), Pair(ours=ours, bare=views)


def _run_once(scenario: Scenario, clients: SiteClients) -> Sample:
    view = clients.view()
    baseline = BASELINES[scenario.against](clients)
    seconds = scenario.run(clients)
    return Sample(view=view, baseline=baseline, scenario=seconds)
