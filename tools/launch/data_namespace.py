"""The namespace of the data in SANDBOX_DATA, whose rows may name one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.request import urlopen


@dataclass(frozen=True, kw_only=True)
class SandboxData:
    """What the sandbox has loaded: the rows of each namespace, and the data's own namespace."""

    namespace: str
    rows: Mapping[str, int]

    def choose(self, wanted: str) -> str:
        """Return the namespace with the wanted id or name; the data's own if there is none such."""
        for name in (wanted, f"ns_{wanted}"):
            if wanted and name in self.rows:
                return name
        return self.namespace

    def describe_left_out(self, chosen: str, wanted: str) -> str:
        """Return a sentence about what is not shown although the data or MIXPEEK_NAMESPACE names it.

        "" if there is nothing such.
        """
        counts = [f"{name} ({count:,} rows)" for name, count in sorted(self.rows.items())]
        if wanted and chosen not in {wanted, f"ns_{wanted}"}:
            return (
                f"SANDBOX_DATA has no namespace {wanted}, but {_join(counts)}: {chosen} is shown."
            )
        if len(counts) < 2:
            return ""
        return (
            f"SANDBOX_DATA has the namespaces {_join(counts)}. Only {chosen} is shown: set "
            "MIXPEEK_NAMESPACE to show another."
        )


def read_data(port: int) -> SandboxData:
    """Ask the sandbox on this port what it has loaded."""
    with urlopen(f"http://127.0.0.1:{port}/_sandbox/data", timeout=30) as response:
        body = json.load(response)
    return SandboxData(namespace=body["namespace"], rows=body["rows"])


def _join(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words) or "no rows"
    return f"{', '.join(words[:-1])} and {words[-1]}"
