"""Shapes of figures, which Mixpeek does not have."""

from __future__ import annotations

from rest_framework import serializers

from reviewapp.annotations.figures.periods import Step
from reviewapp.annotations.figures.tables import Figure
from reviewapp.api.serializers.fields import Instant, Object, Text, optional, shape

FigureResponse = shape(
    "FigureResponse",
    "A table of figures. `since` and `until` are null where the span is empty.",
    figure=serializers.ChoiceField(choices=Figure.values),
    since=optional(Instant),
    until=optional(Instant, help_text="Not included."),
    step=serializers.ChoiceField(choices=[step.value for step in Step]),
    zone=Text(),
    columns=serializers.ListField(child=Text()),
    rows=serializers.ListField(child=Object(), help_text="An object for each row, by column."),
)
