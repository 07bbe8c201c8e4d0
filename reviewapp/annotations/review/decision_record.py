"""One decision as it was made: what was on the screen, what was entered, what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.mirror.authorship import UpstreamVersion
from reviewapp.annotations.mirror.version_authors import versions_with_authors
from reviewapp.annotations.models import Annotation, Decision, Undo
from reviewapp.annotations.value_authorship import machine_words
from reviewapp.audit.presenters.timeline import Entry, timeline_since
from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import format_value
from reviewapp.retrievers.documents.evidence import Evidence, evidence
from reviewapp.retrievers.documents.highlight import query_words
from reviewapp.retrievers.documents.snapshot import RUN_KEYS, digest
from reviewapp.retrievers.models import Execution, Result

_MAX_LATER = 50


@dataclass(frozen=True, kw_only=True)
class EnteredField:
    """One value of a decision as text: as the person saw it, and as they submitted it.

    `is_left`: they left it as it was. A confirmation leaves confidence and reasoning unless the
    person gave them.
    """

    title: str
    seen: str
    entered: str
    is_left: bool


@dataclass(frozen=True, kw_only=True)
class DecisionRecord:
    """A decision with everything it can be explained and proved by.

    `result` is the document that was on the screen, None if there was none. `is_intact`: it still
    has the checksum that was recorded with the decision. `has_changed_since`: a newer result of the
    document differs. `undo` is None unless its person undid it. `later` are the decisions on the
    annotation that followed, oldest first, at most 50. `entries` are the events since it was made,
    oldest first. `at_mixpeek` are Mixpeek's versions from the one it was based on, newest first.
    """

    decision: Decision
    annotation: Annotation
    result: Result | None
    execution: Execution | None
    evidence: Evidence | None
    is_intact: bool
    has_changed_since: bool
    fields: list[EnteredField]
    change: Change | None
    undo: Undo | None
    later: list[Decision]
    entries: list[Entry]
    at_mixpeek: list[UpstreamVersion]

    @property
    def query(self) -> dict[str, Any]:
        """The query that was judged, {} where it is not known."""
        return self.execution.query if self.execution else {}

    @property
    def machine(self) -> dict[str, Any]:
        """The machine's proposal, {} if a person created the annotation."""
        proposal: dict[str, Any] = self.annotation.proposed
        return proposal

    @property
    def ranked(self) -> Result | None:
        """The result with the rank and score of the query that was judged, None if it is not here.

        The document that was on the screen may be that of another execution.
        """
        named = self.annotation.execution_id
        if self.result is None or not named:
            return self.result
        execution = self.result.execution
        is_of_query = execution is not None and execution.execution_id == named
        return self.result if is_of_query else None

    @property
    def execution_id(self) -> str:
        """Mixpeek's id of the execution that was judged; "" for none."""
        return self.annotation.execution_id

    @property
    def machine_words(self) -> list[str]:
        """The fields in which a decision of an older version repeats the machine's words."""
        decision = self.decision
        return machine_words(decision.own_words, decision.values(), self.annotation.proposed)

    @property
    def summary(self) -> str:
        """What was decided, to be read after the name of who did."""
        decision = self.decision
        before = str(decision.base.get("label") or "")
        if decision.outcome == Decision.Outcome.UNDECIDABLE:
            return _("could not tell")
        if not before:
            return _("labelled it “%(label)s”") % {"label": decision.label}
        if before == decision.label:
            return _("confirmed “%(label)s”") % {"label": decision.label}
        labels = {"before": before, "after": decision.label}
        return _("relabelled “%(before)s” as “%(after)s”") % labels

    @property
    def is_in_force(self) -> bool:
        """Whether it is the decision that stands."""
        return self.annotation.decision_id == self.decision.pk

    @property
    def replaced_by(self) -> Decision | None:
        """The next decision that was not undone, None if there is none."""
        for decision in self.later:
            if not decision.taken_back:
                return decision
        return None


def load_decision_record(pk: int) -> DecisionRecord | None:
    """Return the decision with this key and what belongs to it, None if there is none."""
    decision = (
        Decision.objects.select_related(
            "annotation__retriever",
            "reviewer",
            "result__execution",
            "label_set__created_by",
            "guidelines__created_by",
            "undo__actor",
        )
        .defer("annotation__words", "annotation__search")
        .filter(pk=pk)
        .first()
    )
    if decision is None:
        return None

    annotation = decision.annotation
    # The execution whose query was judged.
    execution = None
    if annotation.execution_id:
        execution = Execution.objects.filter(execution_id=annotation.execution_id).first()
    elif decision.result:
        execution = decision.result.execution

    is_intact = False
    shown_evidence = None
    if decision.result:
        words = query_words(execution.inputs if execution else {})
        shown_evidence = evidence(decision.result.snapshot, query_words=words)
        is_intact = digest(decision.result.snapshot) == decision.document_digest

    later = Decision.objects.filter(annotation=annotation, pk__gt=pk).order_by("pk")
    later = later.select_related("reviewer", "undo")
    versions = versions_with_authors(annotation)
    first_version = decision.base_version or 1

    return DecisionRecord(
        decision=decision,
        annotation=annotation,
        result=decision.result,
        execution=execution,
        evidence=shown_evidence,
        is_intact=is_intact,
        has_changed_since=_has_changed_since(decision.result),
        fields=_fields(decision),
        change=decision.change,
        undo=decision.undo if decision.taken_back else None,
        later=list(later[:_MAX_LATER]),
        entries=timeline_since(annotation.ref, decision.created_at),
        at_mixpeek=[version for version in versions if version.version >= first_version],
    )


def _has_changed_since(result: Result | None) -> bool:
    if result is None:
        return False
    newest = Result.objects.filter(document_id=result.document_id).order_by("-id").first()
    if newest is None or newest.pk == result.pk:
        return False
    return _document_alone(newest) != _document_alone(result)


def _document_alone(result: Result) -> dict[str, Any]:
    """Return the snapshot without what belongs to the run, such as the score."""
    return {key: value for key, value in result.snapshot.items() if key not in RUN_KEYS}


def _fields(decision: Decision) -> list[EnteredField]:
    """Return the values that were submitted; "can't tell" submits its reasoning alone."""
    names: Sequence[str] = tuple(FIELDS)
    if decision.outcome == Decision.Outcome.UNDECIDABLE:
        names = ("reasoning",)

    is_confirmed = decision.base.get("label") == decision.label
    fields = []
    for name in names:
        seen = decision.base.get(name)
        entered = getattr(decision, name)
        is_left = is_same_json(seen, entered)
        if is_confirmed and FIELDS[name].is_personal and entered == FIELDS[name].blank:
            is_left = True
        field = EnteredField(
            title=str(FIELDS[name].title),
            seen=format_value(seen),
            entered=format_value(entered),
            is_left=is_left,
        )
        fields.append(field)
    return fields
