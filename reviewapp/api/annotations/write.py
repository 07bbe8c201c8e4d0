"""Turn a script's write into a submission, the same that a reviewer's click makes.

The base of the submission is what the script had read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from reviewapp.annotations.decide import create as decide_create
from reviewapp.annotations.decide import services
from reviewapp.annotations.decide.changed_since import change_author
from reviewapp.annotations.decide.exceptions import (
    AnnotationGone,
    DecisionIdTaken,
    FieldsRefused,
    StaleSubmission,
)
from reviewapp.annotations.decide.statements import annotation_statement
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.fields import BLANK_VALUES, FIELDS, STORED_FIELDS
from reviewapp.annotations.mirror.versions import at_version, latest
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.api.annotations import render
from reviewapp.api.annotations.list import with_related
from reviewapp.api.annotations.render import (
    RENDERED_COLUMNS,
    RenderedAnnotation,
    render_annotations,
)
from reviewapp.api.errors import Problem, invalid_value, not_found, validation_problem
from reviewapp.audit.context import acting
from reviewapp.json_values import is_same_json
from reviewapp.outbox.merge import three_way
from reviewapp.ref import Ref, RefKind
from reviewapp.retrievers.models import Retriever

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


# Indexes: annotations_annotation_annotation_id, annotations_annotation_ref
LOCK_PATCHED = annotation_statement(
    {*RENDERED_COLUMNS, "result_id", "status"},
    condition="""
        (annotation.annotation_id = %(annotation_id)s OR annotation.ref = %(ref)s)
        AND annotation.label > '' AND annotation.status <> 'gone'
        ORDER BY annotation.id
        LIMIT 1
        FOR UPDATE OF annotation
    """,
)


def get_annotation(annotation_id: str) -> Annotation:
    """Return an annotation by Mixpeek's id or by its local one; raises a 404.

    The local id works even after Mixpeek assigned one.
    """
    ref = Ref(RefKind.ANNOTATION, annotation_id)
    has_id = Q(annotation_id=annotation_id) | Q(ref=str(ref))
    annotations = with_related(Annotation.objects.annotated()).filter(has_id)
    annotation = annotations.order_by("id").first()
    if annotation is None:
        raise not_found("annotation", annotation_id)
    return annotation


def existing_ids(annotation_ids: Iterable[str]) -> set[str]:
    """Return those of the ids, Mixpeek's or local ones, that exist; two queries for any number."""
    wanted = set(annotation_ids)
    if not wanted:
        return set()

    existing = set()
    upstream = Annotation.objects.filter(annotation_id__in=wanted)
    for annotation_id in upstream.values_list("annotation_id", flat=True):
        if annotation_id:
            existing.add(annotation_id)

    refs = []
    for annotation_id in wanted:
        refs.append(str(Ref(RefKind.ANNOTATION, annotation_id)))
    local = Annotation.objects.filter(ref__in=refs)
    for ref in local.values_list("ref", flat=True):
        existing.add(Ref.parse(ref).id)
    return existing


def patch_annotation(
    annotation_id: str,
    data: Mapping[str, Any],
    *,
    if_match: str,
    decision_id: UUID,
    actor: User,
) -> tuple[RenderedAnnotation, int | None]:
    """Decide on an annotation; return it and the id of the change that delivers it, if any.

    1. Lock it, so that its values stay as they are. 2. Compare with `If-Match`. 3. Decide.
    Raises 403, 404 and 409 (changed since). Without values nothing is done.
    """
    values = _submitted_values(data)
    with acting(actor):
        ref = Ref(RefKind.ANNOTATION, annotation_id)
        annotation = LOCK_PATCHED.first(annotation_id=annotation_id, ref=str(ref))
        if annotation is None:
            raise not_found("annotation", annotation_id)

        if if_match and not Decision.objects.filter(decision_id=decision_id).exists():
            current = _render(annotation)
            if not render.etag_matches(current.etag, if_match):
                raise _if_match_problem(current, values, if_match)

        if not values:
            return _render(annotation), None

        hold = data.get("hold") or 0
        submission = _build_submission(annotation, values, data.get("base"), decision_id, hold)
        decision = _decide(annotation, submission, actor)
        change = decision.change
        if change is None or change.ahead != 0:
            return _render(annotation), _change_id(decision)

        # No other change waits, so this needs no query.
        state = latest(annotation, [change])
        rendered = RenderedAnnotation(row=annotation, state=state, queued=[change])
        return rendered, change.pk


def create_annotation(
    data: Mapping[str, Any],
    *,
    decision_id: UUID,
    actor: User,
) -> tuple[RenderedAnnotation, int | None]:
    """Annotate a document; return the annotation and the id of the change that delivers it.

    Raises 403, 409 and 422.
    """
    document_id = data["document_id"]
    retriever_id = data.get("retriever_id")
    try:
        earlier = decide_create.find_replay(
            decision_id,
            document_id=document_id,
            retriever_id=retriever_id,
            actor=actor,
        )
    except DecisionIdTaken as error:
        raise _key_reused() from error
    if earlier is not None:
        return _load_rendered(earlier.annotation_id), _change_id(earlier)

    submission = _build_first_submission(data, decision_id)
    place = decide_create.Place(
        document_id=document_id,
        retriever=_get_retriever(retriever_id),
        collection_id=data.get("collection_id") or "",
        execution_id=data.get("execution_id") or "",
        stage_name=data.get("stage_name") or "",
    )
    try:
        decision = decide_create.annotate(place, submission, actor=actor)
    except decide_create.CreateInDelivery as error:
        raise _creation_queued(error.annotation) from error
    except DecisionIdTaken as error:
        raise _key_reused() from error
    except FieldsRefused as error:
        raise _invalid_fields(error) from error
    return _load_rendered(decision.annotation_id), _change_id(decision)


def _build_first_submission(data: Mapping[str, Any], decision_id: UUID) -> Submission:
    submitted = _submitted_values(data)
    values = {name: submitted.get(name, BLANK_VALUES[name]) for name in FIELDS}
    if submitted.get("metadata") is not None:
        values["metadata"] = submitted["metadata"]
    return Submission(
        decision_id=decision_id,
        base=dict(BLANK_VALUES),
        given=frozenset(submitted),
        hold=data.get("hold") or 0,
        **values,
    )


def _build_submission(
    annotation: Annotation,
    values: dict[str, Any],
    client_base: Mapping[str, Any] | None,
    decision_id: UUID,
    hold: int,
) -> Submission:
    base = annotation.values() | {"metadata": annotation.metadata}
    if client_base:
        known_base = dict(client_base)
        if known_base.get("label") is None:
            known_base.pop("label", None)
        base |= _null_to_blank(known_base)

    names = list(FIELDS)
    if "metadata" in values:
        names.append("metadata")
    mine = {name: values.get(name, base[name]) for name in names}
    return Submission(
        decision_id=decision_id,
        base={name: base[name] for name in names},
        base_version=annotation.version,
        given=frozenset(values),
        hold=hold,
        **mine,
    )


def _submitted_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values to set; null clears a field, and a null label is left out."""
    values = {name: data[name] for name in STORED_FIELDS if name in data}
    if values.get("label") is None:
        values.pop("label", None)
    return _null_to_blank(values)


def _null_to_blank(values: Mapping[str, Any]) -> dict[str, Any]:
    converted = dict(values)
    for name, value in values.items():
        if value is None:
            converted[name] = BLANK_VALUES[name]
    return converted


def _decide(annotation: Annotation, submission: Submission, actor: User) -> Decision:
    try:
        return services.decide_locked(annotation, submission, actor=actor)
    except StaleSubmission as stale:
        raise stale_problem(stale) from stale
    except AnnotationGone as error:
        raise not_found("annotation", annotation.annotation_id or "") from error
    except DecisionIdTaken as error:
        raise _key_reused() from error
    except FieldsRefused as error:
        raise _invalid_fields(error) from error


def stale_problem(stale: StaleSubmission) -> Problem:
    """Return the 409 that shows base, mine and theirs."""
    base = {name: stale.base.get(name) for name in stale.theirs}
    mine = {name: stale.mine.get(name) for name in stale.theirs}
    details = {
        "base": render.render_values(base),
        "mine": render.render_values(mine),
        "theirs": render.render_values(stale.theirs),
        "conflicts": stale.conflicts,
        "only_mine": stale.only_mine,
        "only_theirs": stale.only_theirs,
        "by": change_author(stale.annotation, stale.base, viewer="").name,
    }
    fields = get_text_list(stale.conflicts, _("and"))
    message = _("Somebody changed %(fields)s after you read it.") % {"fields": fields}
    return Problem(409, message, code="stale", details=details)


def _if_match_problem(
    current: RenderedAnnotation,
    values: dict[str, Any],
    if_match: str,
) -> Problem:
    """Return the 409 for an `If-Match` of an older state, with base, mine and theirs."""
    version = render.version_from_etag(if_match)
    state = None
    if version and version <= current.state.version:
        state = at_version(current.state, version)

    theirs = current.state.values
    if state is None:
        details = {
            "base": None,
            "mine": render.render_values({**theirs, **values}),
            "theirs": render.render_values(theirs),
            "conflicts": sorted(values),
            "only_mine": None,
            "only_theirs": None,
            "etag": current.etag,
        }
    else:
        base = state.values
        mine = {**base, **values}
        merge = three_way(base=base, mine=mine, theirs=theirs)
        conflicts = []
        for name in values:
            if not is_same_json(base.get(name), theirs.get(name)):
                conflicts.append(name)
        details = {
            "base": render.render_values(base),
            "mine": render.render_values(mine),
            "theirs": render.render_values(theirs),
            "conflicts": sorted(conflicts),
            "only_mine": list(merge.mine_only),
            "only_theirs": list(merge.theirs_only),
            "etag": current.etag,
        }
    message = _(
        "It was changed after you read it. Read it again, or send your values with the new ETag."
    )
    return Problem(409, message, code="stale", details=details)


def _key_reused() -> Problem:
    message = _("This idempotency key was used for another annotation, or its decision was undone.")
    return Problem(409, message)


def _invalid_fields(error: FieldsRefused) -> Problem:
    errors = []
    for name, sentence in error.errors.items():
        errors.append((error.kind, ["body", name], sentence))
    return validation_problem(errors)


def _creation_queued(annotation: Annotation) -> Problem:
    # An annotation that another request is creating at this moment has no ref here.
    local_id = Ref.parse(annotation.ref).id if annotation.ref else None
    details = {"resource": "annotation", "annotation_id": local_id}
    message = _(
        "An annotation of this document for this retriever is waiting to be delivered. Change that "
        "one, or wait."
    )
    return Problem(409, message, kind="AlreadyExistsError", details=details)


def _get_retriever(retriever_id: str | None) -> Retriever | None:
    if retriever_id is None:
        return None
    retriever = Retriever.objects.present().filter(retriever_id=retriever_id).first()
    if retriever is None:
        message = _("There is no retriever with this id.")
        raise invalid_value("body", "retriever_id", message=message, kind="not_found")
    return retriever


def _render(annotation: Annotation) -> RenderedAnnotation:
    return render_annotations([annotation])[0]


def _load_rendered(pk: int) -> RenderedAnnotation:
    return _render(with_related(Annotation.objects.all()).get(pk=pk))


def _change_id(decision: Decision) -> int | None:
    """Return the id of the change that delivers a decision, None if there is none."""
    if decision.change is None:
        return None
    return decision.change.pk
