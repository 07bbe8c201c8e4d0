"""One reviewer at work: opens an item, fills in the form as the step says, and submits it until it is answered."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import requests

from tools.bench.http_client import form_fields
from tools.drill.clients.external_editor import ExternalEditor
from tools.drill.clients.http_client import BrowserClient, TimeLimitReached
from tools.drill.findings import same
from tools.drill.journal import (
    ACKNOWLEDGED,
    NEVER_ANSWERED,
    TURNED_DOWN,
    UNEXPECTED,
    Journal,
    Submit,
    TakenBack,
)
from tools.drill.plan import HOLD, Edit, Step

_STALE = 409
# What the form holds only of a person.
_PERSONAL = ("confidence", "reasoning")
# A person who is overtaken again and again gives up.
_TRIES = 5
_UNDO = re.compile(r'<form class="bar-form" method="post" action="(/decisions/\d+/undo[^"]*)"')
_TAKE_THEIRS = re.compile(r'action="(/changes/\d+/take-theirs)"')


class Reviewer:
    """A person with a browser; `items` are the rows' keys with their annotation ids."""

    def __init__(
        self,
        browser: BrowserClient,
        person: str,
        items: list[tuple[int, str]],
        stranger: ExternalEditor,
        journal: Journal,
    ) -> None:
        self._browser, self._person, self._items = browser, person, items
        self._stranger, self._journal = stranger, journal
        self._edits: list[tuple[float, Step, Edit]] = []
        # The id of the form that was sent last.
        self._last = ""

    def work(self, steps: list[Step]) -> None:
        """Sign in and do every step; ends early, with what is unanswered in the journal, when time is up."""
        try:
            self._browser.sign_in()
            for step in steps:
                self._edit_elsewhere(time.monotonic())
                self._do(step)
                self._journal.finish(step.name)
            self._edit_elsewhere(float("inf"))
        except TimeLimitReached:
            return

    def _do(self, step: Step) -> None:
        if step.takes_theirs:
            self._take_theirs()
        pk, annotation_id = self._items[step.item]
        action = f"/annotations/{pk}/decide"
        page = self._browser.page(f"/annotations/{pk}")
        for _ in range(_TRIES):
            answer = self._submit(step, annotation_id, action, form_fields(page.text, action))
            if answer.status_code != _STALE:
                break
            page = answer
        if step.undoes and outcome_of(answer) == ACKNOWLEDGED:
            self._take_back(step, answer)
        if step.races and outcome_of(answer) == ACKNOWLEDGED:
            name = next(iter(step.typed), "reasoning")
            values = {"reasoning": f"A stranger racing {step.name}."} if name == "reasoning" else {"label": "raced"}
            self._stranger.race(step.name, annotation_id, values, hold=HOLD)
        if step.edit:
            self._edits.append((time.monotonic() + step.edit.wait, step, step.edit))

    def _edit_elsewhere(self, now: float) -> None:
        """Let the stranger do what is due by now."""
        for due, step, edit in list(self._edits):
            if due <= now:
                self._stranger.edit(step.name, self._items[edit.item][1], edit.values)
                self._edits.remove((due, step, edit))

    def _submit(
        self,
        step: Step,
        annotation_id: str,
        action: str,
        form: dict[str, str],
    ) -> requests.Response:
        """Submit the form until it is answered, and write down what was said."""
        data, meant, words = fill_form(form, step)
        self._last = data.get("decision_id", "")
        told: list[str] = []
        sent, answer = time.monotonic(), None
        self._browser.seconds.clear()
        try:
            answer = self._send(step, action, data, told)
            return answer
        finally:
            self._journal.write(
                Submit(
                    decision_id=data.get("decision_id", ""),
                    step=step.name,
                    ref=f"annotations/{annotation_id}",
                    person=self._person,
                    outcome=outcome_of(answer),
                    typed=meant,
                    words=words,
                    cannot_tell=step.cannot_tell,
                    sent=sent,
                    answered=time.monotonic(),
                    answers=told,
                    seconds=list(self._browser.seconds),
                )
            )

    def _send(
        self,
        step: Step,
        action: str,
        data: Mapping[str, str],
        told: list[str],
    ) -> requests.Response:
        """Send the form once, twice at once from two windows, or again after it was answered."""
        if step.way == "twice at once":
            with ThreadPoolExecutor(2) as both:
                windows = [self._browser, self._browser.twin()]
                first, second = both.map(lambda window: window.submit(action, data, told), windows)
            if {outcome_of(first), outcome_of(second)} == {TURNED_DOWN, ACKNOWLEDGED}:
                # What overtook the one may have been taken back before the other: both have to
                # agree in the end.
                first, second = (window.submit(action, data, told) for window in windows)
            return first if outcome_of(first) == outcome_of(second) else _different(first, second, told)
        answer = self._browser.submit(action, data, told)
        if step.way == "again" and outcome_of(answer) == ACKNOWLEDGED:
            return self._browser.submit(action, data, told)
        return answer

    def _take_back(self, step: Step, answer: requests.Response) -> None:
        """Undo what was just decided, with the button of the page that one is led to, if the hold still lasts."""
        led_to = answer.headers.get("Location") or answer.headers["HX-Redirect"]
        page = self._browser.page(led_to)
        if found := _UNDO.search(page.text):
            said = self._browser.submit(
                unescape(found[1]),
                form_fields(page.text, unescape(found[1])),
                [],
            )
            if outcome_of(said) == ACKNOWLEDGED:
                self._journal.write(TakenBack(step=step.name, decision_id=self._last))

    def _take_theirs(self) -> None:
        """Give up whatever stands first on the page of what waits for a person, if anything does."""
        page = self._browser.page("/attention")
        if found := _TAKE_THEIRS.search(page.text):
            self._browser.submit(found[1], form_fields(page.text, found[1]), [])


def fill_form(
    form: dict[str, str],
    step: Step,
) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """Return the form as it is sent, what of it is meant to be kept, and its person's own words.

    Meant is what was typed and is not given up. Who types what the form says already has said
    nothing: what somebody else changes meanwhile then stands. The words are what the form holds of
    confidence and reasoning.
    """
    typed = dict(step.typed)
    if "label" in typed:
        # A label among the buttons would be picked; a written one wins.
        form = form | {"choice": "", "new_label": str(typed["label"])}
    data = form | typed | {"seconds": "4", "outcome": "undecidable" if step.cannot_tell else "decided"}
    asked = form.get("asked", "").split()
    given_up = [name for name in typed if step.yields and name in asked]
    data |= {f"keep_{name}": "theirs" if name in given_up else "mine" for name in asked}
    read = {name: _read(name, text) for name, text in typed.items() if name not in given_up}
    seen = json.loads(form.get("base") or "{}")
    began_with = {name: value for name, value in seen.items() if name not in _PERSONAL or name in seen.get("given", ())}
    meant = {name: value for name, value in read.items() if name not in began_with or not same(value, began_with[name])}
    personal = ("reasoning",) if step.cannot_tell else _PERSONAL
    words = {name: _read(name, data.get(name, "")) for name in personal if data.get(f"keep_{name}") != "theirs"}
    return data, meant, words


def outcome_of(answer: requests.Response | None) -> str:
    """Return what an answer to a decision says of it."""
    if answer is None:
        return NEVER_ANSWERED
    if answer.status_code == 302 or answer.headers.get("HX-Redirect"):
        return ACKNOWLEDGED
    return TURNED_DOWN if answer.status_code == _STALE else UNEXPECTED


def _different(
    first: requests.Response,
    second: requests.Response,
    told: list[str],
) -> requests.Response:
    """Return an answer that fits neither window, since both sent the same: nobody may be told two things."""
    told.append(f"two windows were told {outcome_of(first)} and {outcome_of(second)}")
    made = requests.Response()
    made.status_code = 0
    return made


def _read(name: str, text: str) -> Any:
    match name:
        case "confidence":
            return float(text) if text else None
        case "payload":
            return json.loads(text)
    return text
