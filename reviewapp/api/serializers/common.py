"""Shapes that every part of the API uses."""

from __future__ import annotations

from rest_framework.exceptions import ValidationError

from reviewapp.annotations.fields import FIELDS, Kind
from reviewapp.api.serializers.fields import (
    Flag,
    Number,
    Object,
    Shape,
    Text,
    Whole,
    optional,
    shape,
)
from reviewapp.naming import same_key
from reviewapp.retrievers.guidance.labels import MAX_LABEL_LENGTH, label_problem

MAX_HOLD_SECONDS = 60

ErrorDetail = shape(
    "ErrorDetail",
    "What went wrong.",
    message=Text(),
    type=Text(help_text="NotFoundError, ValidationError, ConflictError, ..."),
    code=optional(Text, help_text="A finer reason: missing, extra_forbidden, stale, scope, ..."),
    details=optional(
        Object,
        help_text="validation_errors: [{type, location, message}]; for a conflict base, mine, "
        "theirs, and the names of fields: conflicts, only_mine, only_theirs.",
    ),
)
ErrorResponse = shape(
    "ErrorResponse",
    "Mixpeek's error body.",
    success=Flag(),
    status=Whole(),
    error=ErrorDetail(),
)
PaginationResponse = shape(
    "PaginationResponse",
    "Where this page stands; totals are null unless `include_total` asks for them.",
    total=optional(Whole),
    page=optional(Whole),
    page_size=optional(Whole),
    total_pages=optional(Whole),
    next_page=optional(Text),
    previous_page=optional(Text),
    next_cursor=optional(Text),
)


def values() -> dict[str, Shape]:
    """Return fresh fields for what is decided besides the label; a field belongs to one shape."""
    fields: dict[str, Shape] = {}
    for name, field in FIELDS.items():
        if name == "label":
            continue
        if field.kind is Kind.TEXT:
            fields[name] = optional(Text, max_length=field.max_length)
        elif field.kind is Kind.OBJECT:
            fields[name] = optional(Object)
        else:
            number = Whole if field.kind is Kind.WHOLE_NUMBER else Number
            bounds = {"min_value": field.minimum, "max_value": field.maximum}
            fields[name] = optional(number, **bounds)
    return fields


def label_field(**options: object) -> Text:
    """Return a field for a label."""
    return Text(
        **{
            "min_length": 1,
            "max_length": MAX_LABEL_LENGTH,
            "validators": [validate_label],
            **options,
        },
    )


def hold() -> Shape:
    """Return a field for the seconds for which a decision is held."""
    effect = "For so many seconds it is not sent and can be withdrawn"
    help_text = f"{effect}; scripts' writes are not held unless asked."
    field: Shape = optional(Whole, min_value=0, max_value=MAX_HOLD_SECONDS, help_text=help_text)
    return field


def validate_label(text: str) -> None:
    """Refuse a label without a visible character and one of several lines."""
    if not same_key(text):
        raise ValidationError(
            "Give a label with at least one character that is no space",
            code="string_too_short",
        )
    problem = label_problem(text)
    if problem:
        raise ValidationError(problem, code="string_pattern_mismatch")
