"""What somebody else does at the sandbox while a test runs."""

from __future__ import annotations

from tests.tools.sandbox.running import Box


def annotate(box: Box, *numbers: int) -> list[str]:
    """Create one more annotation upstream for each of these documents and return their ids."""
    rows = [
        {"document_id": f"doc_{number:05}", "label": "new", "retriever_id": "ret_vans"}
        for number in numbers
    ]
    results = box.call("POST", "/v1/annotations/bulk", json={"create": rows}).json()["results"]
    return [row["annotation_id"] for row in results]


def delete(box: Box, *annotation_ids: str) -> None:
    """Delete annotations upstream."""
    reply = box.call("POST", "/v1/annotations/bulk", json={"delete": annotation_ids}).json()
    assert reply["deleted_count"] == len(annotation_ids)


def listed(box: Box) -> set[str]:
    """Return the ids of all annotations upstream (500 at most)."""
    rows = box.call("POST", "/v1/annotations/list?limit=500").json()["results"]
    return {row["annotation_id"] for row in rows}
