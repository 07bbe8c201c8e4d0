"""What waits for a person: conflicts and refusals, with the values side by side."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from reviewapp.annotations.decide import services
from reviewapp.annotations.mirror import refs as mirror_refs
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.review.same_document import execution_of, executions_of
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services as retriever_services
from reviewapp.retrievers.documents.media import media
from reviewapp.retrievers.models import Execution, Retriever
from reviewapp.web.http import Request, page_or
from reviewapp.web.pagination import BadCursor, page

_GIVEN_UP = "Mixpeek's values kept. Your decision is still in the history."
_DISMISSED = "Dismissed: Mixpeek no longer has the annotation. The decision is still in the history."


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def attention(request: Request) -> HttpResponse:
    """List what Mixpeek refused and where somebody else was faster, newest first."""
    try:
        found = page(Change.objects.attention(), order=["-id"], cursor=request.GET.get("page", ""), size=20)
    except BadCursor:
        return redirect("attention")
    refs = [change.ref for change in found.rows]
    annotations = Annotation.objects.with_evidence().by_ref(refs)
    retrievers = Retriever.objects.by_ref(refs)
    executions = executions_of(annotations.values())

    items = []
    for change in found.rows:
        annotation = annotations.get(change.ref)
        item = {"change": change, "annotation": annotation, "retriever": retrievers.get(change.ref)}
        if annotation is not None:
            item |= _evidence(annotation, execution_of(annotation, executions))
        items.append(item)
    return page_or(
        "annotations/_attention.html", request, "annotations/attention.html", {"items": items, "page": found}
    )


def _evidence(annotation: Annotation, execution: Execution | None) -> dict[str, Any]:
    """Return what a card shows of the document: its first picture, and the query it was found with."""
    snapshot = annotation.result.snapshot if annotation.result else {}
    stills = [medium.still for medium in media(snapshot) if medium.still is not None]
    return {
        "gone": annotation.status == Annotation.Status.GONE,
        "picture": next(iter(stills), None),
        "query": execution.in_one_line if execution else "",
    }


@require_POST
@permission_required("annotations.decide_annotation", raise_exception=True)
def take_theirs(request: Request, pk: int) -> HttpResponse:
    """Give up one conflicting or refused change, of a retriever only as an admin; Mixpeek's values stand."""
    change = get_object_or_404(Change, pk=pk)
    kind = change.ref.partition("/")[0]
    give_up = retriever_services.take_theirs if kind == "retrievers" else services.take_theirs
    if give_up(change, actor=request.user):
        gone = Annotation.objects.filter(ref=change.ref, status=Annotation.Status.GONE).exists()
        messages.success(request, _DISMISSED if gone else _GIVEN_UP)
    else:
        messages.info(request, "Somebody has dealt with this already.")
    return redirect("attention")


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def by_ref(request: Request) -> HttpResponse:
    """Lead from a ref, as history or Mixpeek names it, to the page of what it names."""
    # What PostgreSQL refuses to compare names nothing.
    ref = request.GET.get("ref", "").replace("\0", "")
    kind, _, upstream_id = ref.partition("/")
    if kind == "people":
        return redirect(f"{reverse('people')}?{urlencode({'search': upstream_id})}")
    if kind == "retrievers":
        return redirect("retriever", pk=get_object_or_404(Retriever, retriever_id=upstream_id).pk)
    called = Annotation.objects.filter(ref__in=[ref, *mirror_refs.refs(ref)])
    return redirect("review", pk=get_object_or_404(called).pk)
