"""`make bench-browser`: from the key that submits to the next item painted, in a real browser.

Two reviewers take turns in headless Chromium, one with the next item loaded ahead and one without,
against the same server. Time is taken inside the page: from the key event to the animation frame
after the next item came into the document. Once with a second before each key, once back to back.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Browser, Page, sync_playwright

from reviewapp.postgres import server
from tools.bench.http_client import TimedClient
from tools.bench.site import Site, StepFailed
from tools.bench.stats import percentile
from tools.launch.config import ROOT
from tools.launch.exceptions import Interrupted, LaunchError
from tools.launch.signals import watched

_PAUSE = 1000
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_COLUMNS = ("next item", "before each key", "items", "not at hand", "p50", "p95", "longest")
_WAITING = "SELECT count(*) FROM annotations_annotation WHERE status = 'waiting'"
_MODES = ("loaded ahead", "loaded on submit")
_PEOPLE = {"loaded ahead": "reviewer", "loaded on submit": "lead"}

# Times one press: `timed` resolves with milliseconds and whether the next item was at hand.
_TIMER = """
window.timed = new Promise((resolve) => {
  let pressed = null;
  const before = document.getElementById("review").dataset.item;
  const isAtHand = () => "next" in document.getElementById("review").dataset;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") pressed = { at: event.timeStamp, isAtHand: isAtHand() };
  }, { capture: true, once: false });
  const observer = new MutationObserver(() => {
    const review = document.getElementById("review");
    if (!review || review.dataset.item === before) return;
    observer.disconnect();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        resolve([performance.now() - pressed.at, pressed.isAtHand]);
      };
      channel.port2.postMessage(null);
    });
  });
  observer.observe(document.getElementById("main"), { childList: true, subtree: true });
});
undefined;
"""
_READY = "() => 'ready' in document.getElementById('review').dataset"
# What a person's browser says who wants to save data: then nothing is loaded ahead.
_SAVES_DATA = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } });"
# Resolves with the time of the largest paint in ms, and with how much the layout shifted.
_LOAD = """
() => new Promise((resolve) => {
  let paint = 0;
  let shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) paint = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve([paint, shift]), 500);
})
"""


@dataclass(kw_only=True)
class Samples:
    """Milliseconds from key to paint of one mode at one pace (ms before each key)."""

    mode: str
    pause: int
    milliseconds: list[float] = field(default_factory=list)
    misses: int = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the tables of docs/performance.md; returns 1 when something failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.browser", description=__doc__)
    parser.add_argument("count", type=int, help="how many results to load")
    parser.add_argument("--items", type=int, default=200, help="items a row (%(default)s)")
    parser.add_argument("--var", type=Path, default=ROOT / "var" / "bench", help="data folder")
    options = parser.parse_args(arguments)
    try:
        _bench(options)
    except Interrupted:
        _print("Stopped.")
    except (LaunchError, StepFailed) as error:
        _print(str(error))
        return 1
    return 0


def _bench(options: argparse.Namespace) -> None:
    folder: Path = options.var.absolute()
    with ExitStack() as stack:
        signals = stack.enter_context(watched())
        stack.callback(server.leave_all)
        address = server.join(folder / "postgres")
        site = Site(
            count=options.count,
            folder=folder / str(options.count),
            address=address,
            signals=signals,
        )
        stack.callback(site.stop)
        _print(f"Loading {options.count:,} ...")
        site.prepare(fresh=False)
        with psycopg.connect(site.url) as connection:
            (waiting,) = connection.execute(_WAITING).fetchone() or (0,)
        site.start_sandbox()
        site.start("web")

        load_before = os.getloadavg()[0]
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=_browser_path())
        stack.callback(browser.close)
        loads = _measure_loads(browser, site, count=10)
        samples = _measure_keys(browser, site, options.items)
        load = f"load average {load_before:.1f} to {os.getloadavg()[0]:.1f}"

    started = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    _print("")
    _print(f"`make bench-browser N={options.count}`, {started}, {waiting:,} waiting; {load}.")
    for line in lines(samples):
        _print(line)
    paints = [paint for paint, _ in loads]
    shifts = [shift for _, shift in loads]
    _print("")
    _print(
        f"Cold load, {len(loads)} times: largest paint p50 {percentile(paints, 0.5):.0f} ms, "
        f"longest {max(paints):.0f} ms; layout shift at most {max(shifts):.4f}."
    )


def _browser_path() -> str | None:
    """Return the browser that the tests use, too; None for Playwright's own."""
    for name in _BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    return None


def _open(browser: Browser, site: Site, mode: str) -> Page:
    url = site.addresses["web"]
    person = TimedClient(url)
    username = _PEOPLE[mode]
    person.sign_in(username, f"{username}-demo")
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    cookies: list[Any] = []
    for cookie in person.session.cookies:
        cookies.append({"name": cookie.name, "value": cookie.value, "url": url})
    context.add_cookies(cookies)
    if mode == "loaded on submit":
        context.add_init_script(_SAVES_DATA)
    page = context.new_page()
    page.goto(f"{url}/annotations/next")
    page.wait_for_function(_READY)
    return page


def _measure_loads(browser: Browser, site: Site, *, count: int) -> list[tuple[float, float]]:
    """Return largest paint (ms) and layout shift of the review page, each with an empty cache."""
    loads = []
    for _ in range(count):
        page = _open(browser, site, "loaded on submit")
        address = page.url
        page.context.new_cdp_session(page).send("Network.clearBrowserCache")
        page.goto("about:blank")
        page.goto(address)
        paint, shift = page.evaluate(_LOAD)
        loads.append((paint, shift))
        page.context.close()
    return loads


def _measure_keys(browser: Browser, site: Site, items: int) -> list[Samples]:
    pages = {mode: _open(browser, site, mode) for mode in _MODES}
    measured: list[Samples] = []
    for pause in (_PAUSE, 0):
        rows = {mode: Samples(mode=mode, pause=pause) for mode in _MODES}
        _print(f"{items} items each way, {pause} ms before each key ...")
        for _ in range(items):
            for mode, page in pages.items():
                _press(page, rows[mode])
        measured += rows.values()
    return measured


def _press(page: Page, samples: Samples) -> None:
    """Submit the item in the page by key and note how long the next one took."""
    page.bring_to_front()
    page.wait_for_function(_READY)
    page.wait_for_timeout(samples.pause)
    page.evaluate(_TIMER)
    page.keyboard.press("Control+Enter")
    milliseconds, is_at_hand = page.evaluate("window.timed")
    samples.milliseconds.append(milliseconds)
    if not is_at_hand:
        samples.misses += 1


def lines(measured: Sequence[Samples]) -> Iterator[str]:
    """Yield the table: milliseconds from the key to the painted item."""
    yield ""
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"| --- | ---: |{' ---: |' * (len(_COLUMNS) - 2)}"
    for samples in measured:
        times = samples.milliseconds
        pause = f"{samples.pause / 1000:g} s" if samples.pause else "back to back"
        cells = [samples.mode, pause, str(len(times)), str(samples.misses)]
        cells += [f"{percentile(times, share):.1f}" for share in (0.5, 0.95, 1)]
        yield f"| {' | '.join(cells)} |"


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
