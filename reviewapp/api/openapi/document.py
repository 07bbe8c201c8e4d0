"""The OpenAPI document of the JSON API, as drf-spectacular writes it."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator


@cache
def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of this version of the code; it depends on no setting."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    document: dict[str, Any] = generator.get_schema(  # type: ignore[no-untyped-call]
        request=None,
        public=True,
    )
    return document
