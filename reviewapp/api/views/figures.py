"""Figures for scripts: the tables of the page of figures, as JSON or CSV."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.annotations.figures.filters import FiguresForm
from reviewapp.annotations.figures.tables import COLUMNS, Figure, figure_as_csv, read_figure
from reviewapp.api.annotations.render import iso_utc
from reviewapp.api.auth import READ, AccessRule
from reviewapp.api.errors import invalid_value, not_found, validation_problem
from reviewapp.api.serializers import figures as shapes
from reviewapp.api.views.base import Endpoint

_TABLES = "".join(f"\n- `{figure}`: {', '.join(COLUMNS[figure])}" for figure in Figure.values)
_DESCRIPTION = f"""\
Return a table of the page of figures, with the filters of that page.

Times are in seconds, shares from 0 to 1; a share is null where there are fewer than 20 decisions.
An empty `label` is *can't tell*. The columns of each table:
{_TABLES}"""


def _parameter(name: str, kind: OpenApiTypes, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description)


_PARAMETERS = [
    OpenApiParameter("figure", str, OpenApiParameter.PATH, enum=Figure.values),
    _parameter("format", OpenApiTypes.STR, "json (the default) or csv"),
    _parameter("zone", OpenApiTypes.STR, "the time zone of the days, UTC by default"),
    _parameter("since", OpenApiTypes.STR, "included; by default 28 days before the end"),
    _parameter("until", OpenApiTypes.STR, "excluded; by default the end of today"),
    _parameter("person", OpenApiTypes.STR, "a person's key, more than once for several"),
    _parameter("retriever", OpenApiTypes.STR, "Mixpeek's id, or `none`"),
    _parameter("version", OpenApiTypes.STR, "a version of the retriever"),
    _parameter("outcome", OpenApiTypes.STR, "confirmed, relabelled, corrected or undecidable"),
    _parameter("standing", OpenApiTypes.STR, "in_force, replaced, undone or not_undone"),
    _parameter("seen", OpenApiTypes.STR, "machine: the person saw the machine's label"),
    _parameter("band", OpenApiTypes.STR, "tenths of the confidence seen, 0 to 9, or `none`"),
    _parameter("label_from", OpenApiTypes.STR, "the label that the person saw"),
    _parameter("label_to", OpenApiTypes.STR, "the label decided"),
    _parameter("moved", OpenApiTypes.STR, "by how much the confidence was moved at least"),
    _parameter("delivery", OpenApiTypes.STR, "the state of the delivery"),
    _parameter("q", OpenApiTypes.STR, "words of titles and texts, or an id"),
]


class FigureDetail(Endpoint):
    """`GET /v1/figures/{figure}`."""

    needs = {"GET": AccessRule(scope=READ, permission="audit.view_event")}

    @extend_schema(
        operation_id="get_figure",
        description=_DESCRIPTION,
        parameters=_PARAMETERS,
        responses=shapes.FigureResponse,
    )
    def get(self, request: Request, figure: str) -> HttpResponseBase:
        """Return a table of figures as JSON or CSV; the form of the page validates the filters."""
        if figure not in Figure.values:
            raise not_found("figure", figure)
        wanted = request.query_params.get("format", "json")
        if wanted not in {"json", "csv"}:
            raise invalid_value("query", "format", message=_("Choose json or csv."))

        form = FiguresForm(request.query_params)
        if not form.is_valid():
            errors = []
            for name, messages in form.errors.items():
                errors.append(("value_error", ["query", name], " ".join(map(str, messages))))
            raise validation_problem(errors)

        if wanted == "csv":
            content = figure_as_csv(Figure(figure), form)
            return HttpResponse(content, content_type="text/csv; charset=utf-8")

        periods, rows = read_figure(Figure(figure), form)
        has_periods = bool(periods.periods)
        body = {
            "figure": figure,
            "since": iso_utc(periods.since) if has_periods else None,
            "until": iso_utc(periods.until) if has_periods else None,
            "step": periods.step.value,
            "zone": periods.zone.key,
            "columns": list(COLUMNS[figure]),
            "rows": rows,
        }
        return Response(body)
