"""Report a pull's progress: bars on a terminal, plain lines elsewhere, the log in a worker."""

from __future__ import annotations

import logging
from typing import Never, Protocol

from tqdm import tqdm

from reviewapp.printable import printable


class Out(Protocol):
    """A stream, or a command's wrapper of one."""

    def write(self, text: str, /) -> object:
        """Write the text."""

    def flush(self) -> None:
        """Flush the stream."""


class Progress(Protocol):
    """Receives what a pull is doing, and how far it is."""

    def say(self, sentence: str) -> None:
        """Report one sentence."""

    def begin(self, phase: str) -> None:
        """Report the start of the next phase."""

    def reach(self, number: int, total: int | None) -> None:
        """Report how many records are done, and the total if it is known."""

    def end(self) -> None:
        """Report the end of the pull."""


class Log:
    """Logs sentences only, to keep a worker's log short."""

    def __init__(self) -> None:
        self._log = logging.getLogger("reviewapp.sync.pull.run")

    def say(self, sentence: str) -> None:
        """Log the sentence."""
        self._log.info(sentence)

    def begin(self, phase: str) -> None:
        """Log nothing."""

    def reach(self, number: int, total: int | None) -> None:
        """Log nothing."""

    def end(self) -> None:
        """Log nothing."""


class Lines:
    """Writes a line for each sentence and each page."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._phase = ""

    def say(self, sentence: str) -> None:
        """Write the sentence."""
        self._out.write(f"{printable(sentence)}\n")

    def begin(self, phase: str) -> None:
        """Remember the phase for the next lines."""
        self._phase = phase

    def reach(self, number: int, total: int | None) -> None:
        """Write how many records are done."""
        line = f"{self._phase}: {number:,}"
        if total:
            line = f"{line} of {max(total, number):,}"
        self.say(line)

    def end(self) -> None:
        """Nothing is left to close."""


class Bars:
    """Draws a bar for each phase."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._bar: tqdm[Never] | None = None

    def say(self, sentence: str) -> None:
        """Write the sentence above the bar."""
        tqdm.write(printable(sentence), file=self._out)

    def begin(self, phase: str) -> None:
        """Start the next bar."""
        self.end()
        self._bar = tqdm(desc=printable(phase), file=self._out, unit="", dynamic_ncols=True)

    def reach(self, number: int, total: int | None) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.total = None
            if total:
                self._bar.total = max(total, number)
            self._bar.n = number
            self._bar.refresh()

    def end(self) -> None:
        """Close the last bar, which stays visible."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
