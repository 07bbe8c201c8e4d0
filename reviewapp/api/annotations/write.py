"""A script's writes, made what a reviewer's click makes: a submission, from the base that the script had seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q, QuerySet

from reviewapp.annotations.decide import create as decide_create
from reviewapp.annotations.decide import services
from reviewapp.annotations.decide.changed_since import overtaker
from reviewapp.annotations.decide.prechecks import made
from reviewapp.annotations.decide.services import DecisionIdTaken, FieldsRefused, Gone, Stale, Submission
from reviewapp.annotations.mirror.from_upstream import BLANK
from reviewapp.annotations.mirror.versions import at_version
from reviewapp.annotations.models import Annotation
from reviewapp.api.annotations import render
from reviewapp.api.annotations.list import with_names
from reviewapp.api.annotations.render import Shown, show
from reviewapp.api.errors import Problem, invalid, not_found, wrong
from reviewapp.asked import asked
from reviewapp.audit.context import acting
from reviewapp.json_values import same
from reviewapp.outbox.merge import three_way
from reviewapp.outbox.models import Change
from reviewapp.retrievers.models import Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_VALUES = ("label", "confidence", "reasoning", "payload")
_BLANKS: dict[str, Any] = {"reasoning": "", "payload": {}}


def find(annotation_id: str, *, lock: bool = False) -> Annotation:
    """Return an annotation by Mixpeek's id or by its local one, also after Mixpeek gave it one; raises a 404.

    With `lock`, which needs a transaction, it stays as it is until that ends.
    """
    named = _locked if lock else _named
    found = named(annotation_id=annotation_id, ref=f"annotations/{annotation_id}")
    if not found:
        raise not_found("annotation", annotation_id)
    return found[0]


def existing_ids(annotation_ids: Iterable[str]) -> set[str]:
    """Return those of the ids, Mixpeek's or local ones, that `find` knows; two queries, however many there are."""
    wanted = set(annotation_ids)
    if not wanted:
        return set()

    upstream = Annotation.objects.filter(annotation_id__in=wanted).values_list("annotation_id", flat=True)
    existing = {annotation_id for annotation_id in upstream if annotation_id}

    prefix = "annotations/"
    refs = [prefix + annotation_id for annotation_id in wanted]
    local = Annotation.objects.filter(ref__in=refs).values_list("ref", flat=True)
    return existing | {ref.removeprefix(prefix) for ref in local}


@asked
def _named(annotation_id: str, ref: str) -> QuerySet[Annotation]:
    named = Q(annotation_id=annotation_id) | Q(ref=ref)
    return with_names(Annotation.objects.annotated()).filter(named).order_by("id")[:1]


@asked
def _locked(annotation_id: str, ref: str) -> QuerySet[Annotation]:
    named = Q(annotation_id=annotation_id) | Q(ref=ref)
    locked = with_names(Annotation.objects.annotated()).select_for_update(of=("self",))
    # With what deciding reads beside.
    beside = locked.select_related("retriever__label_set", "reviewer", "result").defer("result__snapshot")
    return beside.filter(named).order_by("id")[:1]


def patch(
    annotation_id: str, asked: Mapping[str, Any], *, if_match: str, decision_id: UUID, actor: User
) -> tuple[Shown, int | None]:
    """Decide on an annotation; returns it as it stands then and the id of the change that carries it, if any.

    1. Lock it, so that "the values as they are" means those. 2. Compare with `If-Match`. 3. Decide. Raises 404, 409
    (somebody changed it since) and 403. Nothing asked is nothing done.
    """
    given = _given(asked)
    with acting(actor):
        row = find(annotation_id, lock=True)
        if if_match and not made(decision_id=decision_id):
            _raise_unless_matching(show([row])[0], given, if_match)
        if not given:
            return show([row])[0], None
        submission = _submission(row, given, asked.get("base"), decision_id)
        _decide(row, replace(submission, hold=asked.get("hold") or 0), actor)
        return show([row])[0], _change_of(decision_id)


def create(asked: Mapping[str, Any], *, decision_id: UUID, actor: User) -> tuple[Shown, int | None]:
    """Annotate a document; returns the annotation and the id of the change that carries it. Raises 403, 409, 422."""
    document_id, retriever_id = asked["document_id"], asked.get("retriever_id")
    try:
        earlier = decide_create.replayed(decision_id, document_id=document_id, retriever_id=retriever_id, actor=actor)
    except DecisionIdTaken as error:
        raise _key_used() from error
    if earlier is not None:
        return _after(earlier.annotation_id), _change_of(decision_id)

    given = _given(asked)
    wanted = {name: given.get(name, BLANK[name]) for name in _VALUES}
    if given.get("metadata") is not None:
        wanted["metadata"] = given["metadata"]
    submission = Submission(
        decision_id=decision_id, base=dict(BLANK), given=frozenset(given), hold=asked.get("hold") or 0, **wanted
    )
    place = decide_create.Place(
        document_id=document_id,
        retriever=_retriever(retriever_id),
        collection_id=asked.get("collection_id") or "",
        execution_id=asked.get("execution_id") or "",
        stage_name=asked.get("stage_name") or "",
    )
    try:
        decision = decide_create.annotate(place, submission, actor=actor)
    except decide_create.OnItsWay as error:
        raise _on_its_way(error.annotation) from error
    except DecisionIdTaken as error:
        raise _key_used() from error
    except FieldsRefused as error:
        raise _fields_refused(error) from error
    return _after(decision.annotation_id), _change_of(decision_id)


def conflict(stale: Stale) -> Problem:
    """Return the 409 that shows base, mine and theirs."""
    details = {
        "base": render.values({name: stale.base.get(name) for name in stale.theirs}),
        "mine": render.values({name: stale.mine.get(name) for name in stale.theirs}),
        "theirs": render.values(stale.theirs),
        "conflicts": stale.conflicts,
        "only_mine": stale.only_mine,
        "only_theirs": stale.only_theirs,
        "by": overtaker(stale.annotation, stale.base, viewer="").name,
    }
    return Problem(409, f"Somebody changed {' and '.join(stale.conflicts)} since.", code="stale", details=details)


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be set, in our own form: null clears, and a null label counts as not given."""
    given = {name: asked[name] for name in (*_VALUES, "metadata") if name in asked}
    if given.get("label") is None:
        given.pop("label", None)
    return _ours(given)


def _ours(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _BLANKS.get(name) if value is None else value for name, value in values.items()}


def _submission(row: Annotation, given: dict[str, Any], said: Mapping[str, Any] | None, made: UUID) -> Submission:
    current = row.values() | {"metadata": row.metadata}
    base = current | _ours({name: value for name, value in (said or {}).items() if (name, value) != ("label", None)})
    names = (*_VALUES, "metadata") if "metadata" in given else _VALUES
    mine = {name: given.get(name, base[name]) for name in names}
    seen = {name: base[name] for name in names}
    sent = frozenset(given)
    return Submission(decision_id=made, base=seen, base_version=row.version, given=sent, **mine)


def _decide(row: Annotation, submission: Submission, actor: User) -> None:
    try:
        services.decide_on(row, submission, actor=actor)
    except Stale as stale:
        raise conflict(stale) from stale
    except Gone as error:
        raise not_found("annotation", row.annotation_id or "") from error
    except DecisionIdTaken as error:
        raise _key_used() from error
    except FieldsRefused as error:
        raise _fields_refused(error) from error


def _key_used() -> Problem:
    return Problem(409, "This idempotency key was used for another annotation, or what it made was taken back.")


def _fields_refused(error: FieldsRefused) -> Problem:
    return invalid((error.kind, ["body", name], sentence) for name, sentence in error.errors.items())


def _raise_unless_matching(now: Shown, given: dict[str, Any], if_match: str) -> None:
    if not render.matching(now.etag, if_match):
        raise _overtaken(now, given, if_match)


def _overtaken(now: Shown, given: dict[str, Any], if_match: str) -> Problem:
    version = render.version_of(if_match)
    seen = at_version(now.state, version) if version and version <= now.state.version else None
    theirs = now.state.values
    merge = three_way(base=seen.values, mine={**seen.values, **given}, theirs=theirs) if seen else None
    differing = [name for name in given if seen is None or not same(seen.values.get(name), theirs.get(name))]
    details = {
        "base": render.values(seen.values) if seen else None,
        "mine": render.values({**(seen.values if seen else theirs), **given}),
        "theirs": render.values(theirs),
        "conflicts": sorted(differing),
        "only_mine": list(merge.mine_only) if merge else None,
        "only_theirs": list(merge.theirs_only) if merge else None,
        "etag": now.etag,
    }
    message = "It was changed since you read it. Read it again, or send what you want with the new ETag."
    return Problem(409, message, code="stale", details=details)


def _retriever(retriever_id: str | None) -> Retriever | None:
    if retriever_id is None:
        return None
    found = Retriever.objects.present().filter(retriever_id=retriever_id).first()
    if found is None:
        raise wrong("body", "retriever_id", message="There is no retriever with this id.", kind="not_found")
    return found


def _on_its_way(annotation: Annotation) -> Problem:
    local = annotation.ref.removeprefix("annotations/")
    message = "An annotation of this document for this retriever waits to be delivered: change that one, or wait."
    return Problem(
        409, message, kind="AlreadyExistsError", details={"resource": "annotation", "annotation_id": local or None}
    )


def _after(pk: int) -> Shown:
    return show(_as_it_is(pk=pk))[0]


@asked
def _as_it_is(pk: int) -> QuerySet[Annotation]:
    return with_names(Annotation.objects.all()).filter(pk=pk)


def _change_of(decision_id: UUID) -> int | None:
    return next(iter(_caused(cause=decision_id)), None)


@asked
def _caused(cause: UUID) -> QuerySet[Change, int]:
    return Change.objects.filter(cause=cause).order_by("id").values_list("pk", flat=True)[:1]
