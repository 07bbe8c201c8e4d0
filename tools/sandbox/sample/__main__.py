"""`python -m tools.sandbox.sample DIR`: write the sample namespace as a data folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.sandbox.sample import write_sample


def main() -> int:
    """Write the sample; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.sandbox.sample", description=__doc__)
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="folder to write into; made when it is not there",
    )
    folder = parser.parse_args().folder
    try:
        write_sample(folder)
    except OSError as error:
        sys.stderr.write(f"Cannot write the sample into {folder}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
