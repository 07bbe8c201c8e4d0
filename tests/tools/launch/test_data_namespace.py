"""Which namespace of SANDBOX_DATA is shown, and what is said of the others."""

from __future__ import annotations

import pytest

from tools.launch.data_namespace import SandboxData

ONE = SandboxData(namespace="ns_a", rows={"ns_a": 7})
TWO = SandboxData(namespace="ns_a", rows={"ns_a": 7, "ns_b": 1200})
NONE = SandboxData(namespace="ns_sample", rows={})


@pytest.mark.parametrize(
    ("data", "wanted", "chosen"),
    [
        (ONE, "", "ns_a"),
        (ONE, "a", "ns_a"),
        (ONE, "ns_other", "ns_a"),
        (TWO, "", "ns_a"),
        (TWO, "ns_b", "ns_b"),
        (TWO, "b", "ns_b"),
        (NONE, "", "ns_sample"),
        (NONE, "ns_b", "ns_sample"),
    ],
)
def test_it_chooses_the_namespace_of_the_data(data: SandboxData, wanted: str, chosen: str) -> None:
    assert data.choose(wanted) == chosen


@pytest.mark.parametrize(
    ("data", "wanted", "said"),
    [
        (ONE, "", ""),
        (ONE, "a", ""),
        (NONE, "", ""),
        (
            TWO,
            "",
            "SANDBOX_DATA has the namespaces ns_a (7 rows) and ns_b (1,200 rows). Only ns_a is "
            "shown: set MIXPEEK_NAMESPACE to show another.",
        ),
        (
            ONE,
            "ns_other",
            "SANDBOX_DATA has no namespace ns_other, but ns_a (7 rows): ns_a is shown.",
        ),
    ],
)
def test_it_says_what_is_left_out(data: SandboxData, wanted: str, said: str) -> None:
    assert data.describe_left_out(data.choose(wanted), wanted) == said
