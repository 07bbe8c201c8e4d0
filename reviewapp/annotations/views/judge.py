"""Start a judgement of a document for the query of one of its results."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from reviewapp.annotations.decide import create
from reviewapp.retrievers.models import Result
from reviewapp.web.http import Request


@require_POST
@permission_required("annotations.decide_annotation", raise_exception=True)
def judge_result(request: Request, pk: int) -> HttpResponse:
    """Redirect to the item in which this result is judged for its own query, created if missing."""
    results = Result.objects.filter(execution__isnull=False)
    result = get_object_or_404(results.select_related("execution__retriever"), pk=pk)
    annotation = create.get_or_create_item(result, actor=request.user)
    return redirect("review", annotation.pk)
