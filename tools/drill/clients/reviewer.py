"""A reviewer: opens an item, fills in the form, and submits it until there is a response."""

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
# The fields that the form prefills only with a person's values.
_PERSONAL = ("confidence", "reasoning")
# After so many conflicts in a row, the person gives up.
_MAX_TRIES = 5
_UNDO = re.compile(r'<form class="bar-form" method="post" action="(/decisions/\d+/undo[^"]*)"')
_TAKE_THEIRS = re.compile(r'action="(/changes/\d+/take-theirs)"')


class Reviewer:
    """A person with a browser; `items` are (primary key, annotation id)."""

    def __init__(
        self,
        browser: BrowserClient,
        person: str,
        items: list[tuple[int, str]],
        editor: ExternalEditor,
        journal: Journal,
    ) -> None:
        self._browser = browser
        self._person = person
        self._items = items
        self._editor = editor
        self._journal = journal
        # Edits of the external editor that are to come, with their time.
        self._edits: list[tuple[float, Step, Edit]] = []
        # The id of the form that was sent last.
        self._last_decision_id = ""

    def work(self, steps: list[Step]) -> None:
        """Sign in and do every step; when time is up, stop, with the last submit in the journal."""
        try:
            self._browser.sign_in()
            for step in steps:
                self._make_due_edits(time.monotonic())
                self._do(step)
                self._journal.finish(step.name)
            self._make_due_edits(float("inf"))
        except TimeLimitReached:
            return

    def _do(self, step: Step) -> None:
        if step.takes_theirs:
            self._take_theirs()

        pk, annotation_id = self._items[step.item]
        response = self._decide(step, pk, annotation_id)

        is_acknowledged = outcome_of(response) == ACKNOWLEDGED
        if step.undoes and is_acknowledged:
            self._undo(step, response)
        if step.races and is_acknowledged:
            self._race(step, annotation_id)
        if step.edit:
            due = time.monotonic() + step.edit.wait
            self._edits.append((due, step, step.edit))

    def _decide(self, step: Step, pk: int, annotation_id: str) -> requests.Response:
        """Open the item and submit its form; after a conflict, submit the form of that page."""
        action = f"/annotations/{pk}/decide"
        page = self._browser.page(f"/annotations/{pk}")
        for _ in range(_MAX_TRIES):
            form = form_fields(page.text, action)
            page = self._submit(step, annotation_id, action, form)
            if page.status_code != _CONFLICT:
                break
        return page

    def _race(self, step: Step, annotation_id: str) -> None:
        values = {"label": "raced"}
        first_typed = next(iter(step.typed), "reasoning")
        if first_typed == "reasoning":
            values = {"reasoning": f"A stranger racing {step.name}."}
        self._editor.race(step.name, annotation_id, values, hold=HOLD)

    def _make_due_edits(self, now: float) -> None:
        """Let the external editor make the edits that are due."""
        for due, step, edit in list(self._edits):
            if due > now:
                continue
            _, annotation_id = self._items[edit.item]
            self._editor.edit(step.name, annotation_id, edit.values)
            self._edits.remove((due, step, edit))

    def _submit(
        self,
        step: Step,
        annotation_id: str,
        action: str,
        form: dict[str, str],
    ) -> requests.Response:
        """Submit the form until there is a response, and write the submit to the journal."""
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
        """Send the form once, from two windows at once, or again after it was acknowledged."""
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
        first_window = self._browser
        second_window = self._browser.twin()
        with ThreadPoolExecutor(2) as pool:
            first_future = pool.submit(first_window.submit, action, data, statuses)
            second_future = pool.submit(second_window.submit, action, data, statuses)
        first = first_future.result()
        second = second_future.result()

        if {outcome_of(first), outcome_of(second)} == {TURNED_DOWN, ACKNOWLEDGED}:
            # The decision that one conflicted with may have been undone before the other: in the
            # end, both must agree.
            first = first_window.submit(action, data, statuses)
            second = second_window.submit(action, data, statuses)
        if outcome_of(first) == outcome_of(second):
            return first

        # Both windows sent the same form, so both must get the same response.
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
    """Return the form's data, the values that must be stored, and its person's own words.

    A value must be stored if it was typed and not given up in a conflict. A typed value that equals
    the form's counts as unchanged, so somebody else's change to it stands. The words are the form's
    confidence and reasoning.
    """
    given_up: list[str] = []
    contested = form.get("asked", "").split()
    if step.yields:
        given_up = [name for name in step.typed if name in contested]

    data = _form_data(form, step, contested=contested, given_up=given_up)

    base = json.loads(form.get("base") or "{}")
    expected = {}
    for name, text in step.typed.items():
        if name in given_up:
            continue
        value = _parse(name, text)
        if not _is_prefilled(name, base) or not same(value, base[name]):
            expected[name] = value

    words = {}
    for name in _PERSONAL:
        if step.cannot_tell and name == "confidence":
            continue
        if data.get(f"keep_{name}") != "theirs":
            words[name] = _parse(name, data.get(name, ""))
    return data, expected, words


def _form_data(
    form: dict[str, str],
    step: Step,
    *,
    contested: list[str],
    given_up: list[str],
) -> dict[str, str]:
    """Return the form as it is sent: typed into, with an answer to each contested field."""
    data = dict(form)
    if "label" in step.typed:
        # A label among the buttons is chosen; a typed label takes precedence.
        data["choice"] = ""
        data["new_label"] = step.typed["label"]
    data |= step.typed
    data["seconds"] = "4"
    data["outcome"] = "decided"
    if step.cannot_tell:
        data["outcome"] = "undecidable"

    for name in contested:
        data[f"keep_{name}"] = "mine"
        if name in given_up:
            data[f"keep_{name}"] = "theirs"
    return data


def _is_prefilled(name: str, base: Mapping[str, Any]) -> bool:
    """Return whether the form starts with the value of `base`.

    With a confidence or a reasoning it does only if a person gave that value.
    """
    if name not in base:
        return False
    return name not in _PERSONAL or name in base.get("given", ())


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
            if not text:
                return None
            return float(text)
        case "payload":
            return json.loads(text)
    return text
