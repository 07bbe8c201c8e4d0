"""Scripts read and set every field of the table, and clear all but the label."""

from __future__ import annotations

import pytest

from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.models import Annotation
from tests.api.conftest import Caller
from tests.factories import distinct_values, make_annotation

pytestmark = pytest.mark.django_db


def test_a_script_reads_every_field(as_alice: Caller) -> None:
    annotation = make_annotation(**distinct_values(1))
    body = as_alice("GET", f"/v1/annotations/{annotation.annotation_id}").json()
    assert {name: body[name] for name in FIELDS} == distinct_values(1)


def test_a_script_sets_and_clears_every_field(as_alice: Caller) -> None:
    annotation = make_annotation(**distinct_values(0))
    path = f"/v1/annotations/{annotation.annotation_id}"
    assert as_alice("PATCH", path, distinct_values(1)).status_code == 200
    assert Annotation.objects.get(pk=annotation.pk).values() == distinct_values(1)

    cleared = dict.fromkeys(FIELDS) | {"label": "cleared"}
    assert as_alice("PATCH", path, cleared).status_code == 200
    blanks = {name: field.blank for name, field in FIELDS.items()}
    assert Annotation.objects.get(pk=annotation.pk).values() == blanks | {"label": "cleared"}
