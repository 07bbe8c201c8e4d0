"""Begin a new judgement of a document, for the query of one of its results."""

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
    """Open the item in which this result is judged for its own query; it is made when there is none."""
    of_a_run = Result.objects.filter(execution__isnull=False).select_related("execution__retriever")
    result = get_object_or_404(of_a_run, pk=pk)
    annotation = create.item_of(result, actor=request.user)
    return redirect("review", annotation.pk)
