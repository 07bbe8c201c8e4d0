"""One reviewer at work: opens an item, fills in the form, and submits it until it is answered."""

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

_CONFLICT = 409
# What the form holds only of a person.
_PERSONAL = ("confidence", "reasoning")
# A person who is overtaken again and again gives up.
_MAX_TRIES = 5
_UNDO = re.compile(r'<form class="bar-form" method="post" action="(/decisions/\d+/undo[^"]*)"')
_TAKE_THEIRS = re.compile(r'action="(/changes/\d+/take-theirs)"')


class Reviewer:
    """A person with a browser; `items` are the rows' keys with their annotation ids."""

    def __init__(
        self,
        browser: BrowserClient,
        person: str,
        items: list[tuple[int, str]],
        editor: ExternalEditor,
        journal: Journal,
    ) -> None:
        self._browser, self._person, self._items = browser, person, items
        self._editor, self._journal = editor, journal
        self._edits: list[tuple[float, Step, Edit]] = []
        # The id of the form that was sent last.
        self._last_decision_id = ""

    def work(self, steps: list[Step]) -> None:
        """Sign in and do every step; ends early, with what is unanswered in the journal, when time
        is up.
        """
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
        for _ in range(_MAX_TRIES):
            form = form_fields(page.text, action)
            response = self._submit(step, annotation_id, action, form)
            if response.status_code != _CONFLICT:
                break
            page = response

        is_acknowledged = outcome_of(response) == ACKNOWLEDGED
        if step.undoes and is_acknowledged:
            self._undo(step, response)
        if step.races and is_acknowledged:
            self._race(step, annotation_id)
        if step.edit:
            due = time.monotonic() + step.edit.wait
            self._edits.append((due, step, step.edit))

    def _race(self, step: Step, annotation_id: str) -> None:
        values = {"label": "raced"}
        if next(iter(step.typed), "reasoning") == "reasoning":
            values = {"reasoning": f"A stranger racing {step.name}."}
        self._editor.race(step.name, annotation_id, values, hold=HOLD)

    def _edit_elsewhere(self, now: float) -> None:
        """Let the stranger do what is due by now."""
        for due, step, edit in list(self._edits):
            if due <= now:
                self._editor.edit(step.name, self._items[edit.item][1], edit.values)
                self._edits.remove((due, step, edit))

    def _submit(
        self,
        step: Step,
        annotation_id: str,
        action: str,
        form: dict[str, str],
    ) -> requests.Response:
        """Submit the form until it is answered, and write down what was said."""
        data, expected, words = fill_form(form, step)
        decision_id = data.get("decision_id", "")
        self._last_decision_id = decision_id

        statuses: list[str] = []
        response = None
        self._browser.seconds.clear()
        sent = time.monotonic()
        try:
            response = self._send(step, action, data, statuses)
            return response
        finally:
            submit = Submit(
                decision_id=decision_id,
                step=step.name,
                ref=f"annotations/{annotation_id}",
                person=self._person,
                outcome=outcome_of(response),
                typed=expected,
                words=words,
                cannot_tell=step.cannot_tell,
                sent=sent,
                answered=time.monotonic(),
                answers=statuses,
                seconds=list(self._browser.seconds),
            )
            self._journal.write(submit)

    def _send(
        self,
        step: Step,
        action: str,
        data: Mapping[str, str],
        statuses: list[str],
    ) -> requests.Response:
        """Send the form once, twice at once from two windows, or again after it was answered."""
        if step.way == "twice at once":
            return self._send_from_two_windows(action, data, statuses)

        response = self._browser.submit(action, data, statuses)
        if step.way == "again" and outcome_of(response) == ACKNOWLEDGED:
            return self._browser.submit(action, data, statuses)
        return response

    def _send_from_two_windows(
        self,
        action: str,
        data: Mapping[str, str],
        statuses: list[str],
    ) -> requests.Response:
        windows = [self._browser, self._browser.twin()]
        with ThreadPoolExecutor(2) as pool:
            futures = [pool.submit(window.submit, action, data, statuses) for window in windows]
        first, second = (future.result() for future in futures)

        if {outcome_of(first), outcome_of(second)} == {TURNED_DOWN, ACKNOWLEDGED}:
            # What overtook the one may have been taken back before the other: both have to agree in
            # the end.
            first, second = (window.submit(action, data, statuses) for window in windows)
        if outcome_of(first) == outcome_of(second):
            return first

        # Both windows sent the same form, so nobody may be told two things.
        statuses.append(f"two windows were told {outcome_of(first)} and {outcome_of(second)}")
        unexpected = requests.Response()
        unexpected.status_code = 0
        return unexpected

    def _undo(self, step: Step, decided: requests.Response) -> None:
        """Undo the decision with the button of the next page, if the hold still lasts."""
        next_page = decided.headers.get("Location") or decided.headers["HX-Redirect"]
        page = self._browser.page(next_page)
        match = _UNDO.search(page.text)
        if not match:
            return

        action = unescape(match[1])
        response = self._browser.submit(action, form_fields(page.text, action), [])
        if outcome_of(response) == ACKNOWLEDGED:
            entry = TakenBack(step=step.name, decision_id=self._last_decision_id)
            self._journal.write(entry)

    def _take_theirs(self) -> None:
        """Discard the first change that waits for a person, if there is one."""
        page = self._browser.page("/attention")
        match = _TAKE_THEIRS.search(page.text)
        if match:
            action = match[1]
            self._browser.submit(action, form_fields(page.text, action), [])


def fill_form(
    form: dict[str, str],
    step: Step,
) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """Return the form as it is sent, what of it must be stored, and its person's own words.

    Stored must be what was typed and is not given up. Who types what the form says already has said
    nothing: what somebody else changes meanwhile then stands. The words are what the form holds of
    confidence and reasoning.
    """
    typed = dict(step.typed)
    data = dict(form)
    if "label" in typed:
        # A label among the buttons would be picked; a written one wins.
        data |= {"choice": "", "new_label": str(typed["label"])}
    data |= typed
    data["seconds"] = "4"
    data["outcome"] = "undecidable" if step.cannot_tell else "decided"

    contested = form.get("asked", "").split()
    given_up = [name for name in typed if step.yields and name in contested]
    for name in contested:
        data[f"keep_{name}"] = "theirs" if name in given_up else "mine"

    base = json.loads(form.get("base") or "{}")
    given_before = base.get("given", ())
    expected = {}
    for name, text in typed.items():
        if name in given_up:
            continue
        value = _parse(name, text)
        # The form starts with a confidence or reasoning only if a person gave it.
        is_prefilled = name in base and (name not in _PERSONAL or name in given_before)
        if not is_prefilled or not same(value, base[name]):
            expected[name] = value

    words = {}
    for name in ("reasoning",) if step.cannot_tell else _PERSONAL:
        if data.get(f"keep_{name}") != "theirs":
            words[name] = _parse(name, data.get(name, ""))
    return data, expected, words


def outcome_of(response: requests.Response | None) -> str:
    """Return the outcome of a submit, as the journal names it."""
    if response is None:
        return NEVER_ANSWERED
    if response.status_code == 302 or response.headers.get("HX-Redirect"):
        return ACKNOWLEDGED
    if response.status_code == _CONFLICT:
        return TURNED_DOWN
    return UNEXPECTED


def _parse(name: str, text: str) -> Any:
    match name:
        case "confidence":
            return float(text) if text else None
        case "payload":
            return json.loads(text)
    return text
