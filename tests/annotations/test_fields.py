"""Every field of the table is stored, typed, compared, drafted and told, and no list lacks one."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.fields import (
    FIELDS,
    PERSONAL_FIELDS,
    STORED_FIELDS,
    FieldValues,
    Kind,
    StoredField,
    as_typed,
)
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.csv_export import export_lines
from reviewapp.mixpeek.calls.annotations import EDITABLE_FIELDS, Extras
from reviewapp.mixpeek.records import AnnotationRecord
from tests.decisions import decide, filled_form, post_decision
from tests.factories import distinct_values, make_annotation

_NUMBERS = [
    name for name, field in FIELDS.items() if field.kind in {Kind.NUMBER, Kind.WHOLE_NUMBER}
]


@pytest.mark.parametrize("field", STORED_FIELDS.values(), ids=STORED_FIELDS)
def test_it_is_a_column_of_the_mirror(field: StoredField) -> None:
    column: Any = Annotation._meta.get_field(field.name)
    assert column.null == (field.blank is None)
    assert column.get_default() == field.blank
    assert column.max_length == field.column_length


@pytest.mark.parametrize("name", FIELDS)
def test_it_is_a_column_of_the_decision(name: str) -> None:
    column: Any = Annotation._meta.get_field(name)
    decided: Any = Decision._meta.get_field(name)
    assert type(decided) is type(column)
    assert (decided.null, decided.max_length) == (column.null, column.max_length)


def test_a_submission_has_every_field() -> None:
    assert [field.name for field in dataclasses.fields(FieldValues)] == list(FIELDS)


def test_the_client_reads_and_sends_every_field() -> None:
    assert list(EDITABLE_FIELDS) == list(STORED_FIELDS)
    assert STORED_FIELDS.keys() - {"label"} <= Extras.__annotations__.keys()
    assert {field.name for field in dataclasses.fields(AnnotationRecord)} >= STORED_FIELDS.keys()


@pytest.mark.parametrize("name", FIELDS)
def test_a_typed_value_parses_back(name: str) -> None:
    field, value = FIELDS[name], distinct_values(1)[name]
    assert field.parse(field.render(value), field.blank) == value
    assert field.can_hold(value)
    assert field.can_hold(field.blank)


@pytest.mark.parametrize("name", _NUMBERS)
def test_a_number_out_of_bounds_becomes_blank(name: str) -> None:
    field = FIELDS[name]
    assert field.minimum is not None
    assert field.maximum is not None
    for value in (field.minimum - 1, field.maximum + 1):
        assert not field.can_hold(value)
        assert field.from_upstream(value) == field.blank


@pytest.mark.django_db
def test_a_decision_stores_every_field(alice: User) -> None:
    annotation = make_annotation(**distinct_values(0))
    decision = decide(annotation, alice, **distinct_values(1))
    assert Annotation.objects.get(pk=annotation.pk).values() == distinct_values(1)
    stored = Decision.objects.get(pk=decision.pk)
    assert {name: getattr(stored, name) for name in FIELDS} == distinct_values(1)


@pytest.mark.django_db
@pytest.mark.parametrize("name", FIELDS)
def test_the_history_tells_of_every_field(name: str, alice: User) -> None:
    before, after = distinct_values(0)[name], distinct_values(1)[name]
    annotation = make_annotation(**distinct_values(0))
    decide(annotation, alice, **{name: after})

    events = Event.objects.newest().filter(action__startswith="annotation.re")
    event = events.get(ref=annotation.ref)
    assert event.changes[name] == [before, after]
    assert event.action == ("annotation.relabelled" if name == "label" else "annotation.revised")
    assert json.dumps(after) in "".join(export_lines(events)).replace('""', '"')


@pytest.mark.django_db
def test_the_form_has_an_input_for_every_field(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    page = client.get(reverse("review", args=[annotation.pk])).content.decode()
    assert f'data-fields="{" ".join(name for name in FIELDS if name != "label")}"' in page
    for name in FIELDS:
        assert f'data-field="{name}"' in page
        assert re.search(rf'<(input|textarea)[^>]* name="{name}"', page)


@pytest.mark.django_db
def test_a_posted_form_decides_every_field(client: Client, alice: User) -> None:
    annotation = make_annotation(**distinct_values(0))
    client.force_login(alice)
    typed = as_typed(distinct_values(1), *FIELDS)
    assert post_decision(client, annotation, **typed).status_code == 302
    assert Annotation.objects.get(pk=annotation.pk).values() == distinct_values(1)


@pytest.mark.django_db
@pytest.mark.parametrize("name", [name for name in FIELDS if name != "label"])
def test_a_form_from_before_a_field_existed_leaves_it_alone(
    client: Client, alice: User, name: str
) -> None:
    annotation = make_annotation(**distinct_values(1))
    form = filled_form(annotation)
    base = json.loads(form["base"])
    del form[name], base[name]
    client.force_login(alice)
    response = client.post(
        reverse("decide", args=[annotation.pk]), form | {"base": json.dumps(base)}
    )
    assert response.status_code == 302
    assert Annotation.objects.get(pk=annotation.pk).values() == distinct_values(1)


@pytest.mark.django_db
def test_two_people_are_asked_about_every_field(client: Client, alice: User, bob: User) -> None:
    annotation = make_annotation()
    typed = as_typed(distinct_values(1), *FIELDS)
    before = filled_form(annotation, **typed)
    decide(annotation, bob, **distinct_values(0))
    client.force_login(alice)
    response = client.post(reverse("decide", args=[annotation.pk]), before)
    assert response.status_code == 409
    assert [side.field for side in response.context["stale"].sides] == list(FIELDS)
    page = response.content.decode()
    for field in FIELDS.values():
        assert f'<legend dir="auto">{field.title}</legend>' in page
        assert f'name="keep_{field.name}"' in page


@pytest.mark.django_db
def test_a_draft_keeps_every_field(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    typed = as_typed(distinct_values(1), *FIELDS)
    client.post(reverse("draft", args=[annotation.pk]), filled_form(annotation, **typed))
    data = client.get(reverse("review", args=[annotation.pk])).context["data"]
    assert {name: data[name] for name in typed} == typed


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["label", *PERSONAL_FIELDS])
def test_the_machines_value_is_shown_beside_the_evidence(
    client: Client, alice: User, name: str
) -> None:
    annotation = make_annotation(**distinct_values(1))
    client.force_login(alice)
    page = client.get(reverse("review", args=[annotation.pk])).content.decode()
    assert f"Machine's {name}" in page
