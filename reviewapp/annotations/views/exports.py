"""Exports: choose one, download its file, read its manifest."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.annotations.exports import services
from reviewapp.annotations.exports.filters import ExportKind, describe_filter
from reviewapp.annotations.exports.formats import CONTENT_TYPES, Format
from reviewapp.annotations.exports.forms import ExportForm
from reviewapp.annotations.models import Export
from reviewapp.audit.presenters.file_downloads import stream_file
from reviewapp.web.http import Request

_MAX_LISTED = 20

may_export = permission_required("audit.view_event", raise_exception=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@may_export
def exports(request: Request) -> HttpResponse:
    """Offer an export of the filter in the query string and list the last ones; POST makes one."""
    if request.method != "POST":
        query = request.GET.copy()
        kind = query.pop("kind", [ExportKind.DECISIONS])[-1]
        initial = {"kind": kind, "format": Format.CSV, "filter": query.urlencode()}
        return _render(request, ExportForm(initial=initial), kind, query.urlencode())

    form = ExportForm(request.POST)
    if form.is_valid():
        if services.matches_anything(form.cleaned_data):
            export = services.create_export(form.cleaned_data, actor=request.user)
            return redirect("export_file", export.pk)
        form.add_error("filter", _("Nothing matches this filter, so there is nothing to export."))
    return _render(
        request, form, form.data.get("kind", ""), form.data.get("filter", ""), status=422
    )


@require_safe
@never_cache
@may_export
def export_file(request: Request, pk: int) -> HttpResponseBase:
    """Stream the file of an export; 429 if the person downloads too many at once."""
    export = get_object_or_404(Export.objects.select_related("person"), pk=pk)
    base_url = request.build_absolute_uri("/").rstrip("/")
    return stream_file(
        request,
        services.file_chunks(export, base_url=base_url, actor=request.user),
        filename=export.filename,
        content_type=CONTENT_TYPES[Format(export.format)],
    )


@require_safe
@never_cache
@may_export
def export_manifest(request: Request, pk: int) -> HttpResponse:
    """Return the manifest of an export as JSON."""
    export = get_object_or_404(Export.objects.select_related("person"), pk=pk)
    response = JsonResponse(services.manifest(export), json_dumps_params={"indent": 2})
    filename = f"{export.filename}.manifest.json"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _render(
    request: Request,
    form: ExportForm,
    kind: str,
    query: str,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "query": query,
        "filters": describe_filter(kind, query),
        "exports": Export.objects.select_related("person").order_by("-pk")[:_MAX_LISTED],
    }
    return render(request, "annotations/exports.html", context, status=status)
