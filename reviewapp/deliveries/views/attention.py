"""Changes that need a person: conflicts and refusals, with the values side by side."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from reviewapp.annotations.decide import services
from reviewapp.annotations.mirror import refs as mirror_refs
from reviewapp.annotations.models import Annotation
from reviewapp.annotations.review.same_document import execution_of, executions_of
from reviewapp.deliveries.services import load_items
from reviewapp.outbox.models import Change
from reviewapp.ref import Ref, RefKind
from reviewapp.retrievers import services as retriever_services
from reviewapp.retrievers.documents.media import media
from reviewapp.retrievers.models import Retriever
from reviewapp.web.http import Request, render_page_or_fragment
from reviewapp.web.pagination import BadCursor, PageLinks, page

_TOOK_THEIRS = gettext_lazy("Mixpeek's values kept. Your decision is still in the history.")
_DISMISSED = gettext_lazy(
    "Dismissed: Mixpeek no longer has the annotation. The decision is still in the history."
)
_DISMISSED_DELETED = gettext_lazy(
    "Dismissed: it was deleted here. What was to be sent is still in the history."
)


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def attention(request: Request) -> HttpResponse:
    """List refused and conflicting changes, newest first."""
    try:
        change_page = page(
            Change.objects.attention(),
            order=["-id"],
            cursor=request.GET.get("page", ""),
            size=20,
        )
    except BadCursor:
        return redirect("attention")

    refs = [change.ref for change in change_page.rows]
    annotations = Annotation.objects.with_evidence().by_ref(refs)
    retrievers = Retriever.objects.by_ref(refs)
    executions = executions_of(annotations.values())

    items = []
    for change in change_page.rows:
        annotation = annotations.get(change.ref)
        item: dict[str, Any] = {
            "change": change,
            "annotation": annotation,
            "retriever": retrievers.get(change.ref),
            "is_of_retriever": Ref.parse(change.ref).kind == RefKind.RETRIEVER,
        }
        if annotation is not None:
            execution = execution_of(annotation, executions)
            snapshot = annotation.result.snapshot if annotation.result else {}
            stills = [medium.still for medium in media(snapshot) if medium.still is not None]
            item |= {
                "gone": annotation.status == Annotation.Status.GONE,
                "picture": stills[0] if stills else None,
                "query": execution.in_one_line if execution else "",
            }
        items.append(item)

    links = PageLinks(page=change_page, path=request.path, cursor_name="page")
    context = {"items": items, "pager": links}
    return render_page_or_fragment(
        "annotations/_attention.html", request, "annotations/attention.html", context
    )


@require_POST
@permission_required("annotations.decide_annotation", raise_exception=True)
def keep_upstream_values(request: Request, pk: int) -> HttpResponse:
    """Discard one conflicting or refused change and keep Mixpeek's values.

    For a retriever's change the service requires an admin.
    """
    change = get_object_or_404(Change, pk=pk)
    if Ref.parse(change.ref).kind == RefKind.RETRIEVER:
        is_done = retriever_services.take_upstream_values(change, actor=request.user)
    else:
        is_done = services.take_theirs(change, actor=request.user)

    if not is_done:
        messages.info(request, _("Somebody else has already handled this."))
    elif not load_items([change]):
        messages.success(request, _DISMISSED_DELETED)
    elif Annotation.objects.filter(ref=change.ref, status=Annotation.Status.GONE).exists():
        messages.success(request, _DISMISSED)
    else:
        messages.success(request, _TOOK_THEIRS)
    return redirect("attention")


@require_safe
@permission_required("annotations.view_annotation", raise_exception=True)
def by_ref(request: Request) -> HttpResponse:
    """Redirect from a ref, ours or Mixpeek's, to the page of what it names."""
    ref = Ref.parse_or_none(request.GET.get("ref", ""))
    if ref is None:
        raise Http404(_("The address names nothing."))

    if ref.kind == RefKind.PERSON:
        return redirect(f"{reverse('people')}?{urlencode({'search': ref.id})}")
    if ref.kind == RefKind.RETRIEVER:
        retriever = get_object_or_404(Retriever, retriever_id=ref.id)
        return redirect("retriever", pk=retriever.pk)

    annotations = Annotation.objects.filter(ref__in=[str(ref), *mirror_refs.refs(ref)])
    return redirect("review", pk=get_object_or_404(annotations).pk)
