"""How a pull tells how far it is: a bar on a terminal, plain lines elsewhere, the log in a worker."""

from __future__ import annotations

import logging
from typing import Never, Protocol

from tqdm import tqdm

from reviewapp.printable import printable


class Out(Protocol):
    """Somewhere to write: a stream, or a command's wrapper of one."""

    def write(self, text: str, /) -> object:
        """Write the text."""

    def flush(self) -> None:
        """Let it be seen."""


class Progress(Protocol):
    """Hears what is being done and how much of it."""

    def say(self, sentence: str) -> None:
        """Hear one sentence."""

    def begin(self, what: str) -> None:
        """Hear what comes next."""

    def reach(self, number: int, total: int | None) -> None:
        """Hear how many of it are done, out of how many when that is known."""

    def end(self) -> None:
        """Hear that nothing more comes."""


class Log:
    """Keeps a worker's log short: sentences only."""

    def __init__(self) -> None:
        self._log = logging.getLogger("reviewapp.sync.pull.run")

    def say(self, sentence: str) -> None:
        """Log the sentence."""
        self._log.info(sentence)

    def begin(self, what: str) -> None:
        """Keep quiet."""

    def reach(self, number: int, total: int | None) -> None:
        """Keep quiet."""

    def end(self) -> None:
        """Keep quiet."""


class Lines:
    """Writes a line for each sentence and each page."""

    def __init__(self, out: Out) -> None:
        self._out, self._what = out, ""

    def say(self, sentence: str) -> None:
        """Write the sentence."""
        self._out.write(f"{printable(sentence)}\n")

    def begin(self, what: str) -> None:
        """Remember it for the lines to come."""
        self._what = what

    def reach(self, number: int, total: int | None) -> None:
        """Write how far it is."""
        self.say(f"{self._what}: {number:,}" + (f" of {max(total, number):,}" if total else ""))

    def end(self) -> None:
        """There is nothing to close."""


class Bars:
    """Draws a bar for each thing that is done."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._bar: tqdm[Never] | None = None

    def say(self, sentence: str) -> None:
        """Write the sentence above the bar."""
        tqdm.write(printable(sentence), file=self._out)

    def begin(self, what: str) -> None:
        """Start the next bar."""
        self.end()
        self._bar = tqdm(desc=printable(what), file=self._out, unit="", dynamic_ncols=True)

    def reach(self, number: int, total: int | None) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.total = max(total, number) if total else None
            self._bar.n = number
            self._bar.refresh()

    def end(self) -> None:
        """Leave the last bar standing."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
