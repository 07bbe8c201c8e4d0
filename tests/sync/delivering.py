"""What tests of delivering share: decide here, edit there, and see what was written upstream."""

from __future__ import annotations

from typing import Any

from reviewapp.annotations.models import Annotation
from tests.tools.sandbox.running import Box


def upstream(box: Box, annotation: Annotation) -> dict[str, Any]:
    annotation.refresh_from_db()
    body: dict[str, Any] = box.call("GET", f"/v1/annotations/{annotation.annotation_id}").json()
    return body


def edit_elsewhere(box: Box, annotation: Annotation, **values: Any) -> None:
    assert (
        box.call("PATCH", f"/v1/annotations/{annotation.annotation_id}", json=values).status_code
        == 200
    )


def writes(box: Box) -> list[tuple[str, Any]]:
    return [
        (r["method"], r["body"])
        for r in box.received()
        if r["method"] == "PATCH" or r["path"] == "/v1/annotations"
    ]
