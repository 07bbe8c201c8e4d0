"""Each form has its own fields: what a request sets on one is not seen by another."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
from django import forms
from django.forms.forms import BaseForm
from django.urls import get_resolver


def form_classes(base: type[BaseForm]) -> Iterator[type[BaseForm]]:
    """Yield every class of a form of ours."""
    for form_class in base.__subclasses__():
        yield from form_classes(form_class)
        if form_class.__module__.startswith("reviewapp."):
            yield form_class


# The URLs import all views, and these all forms.
get_resolver().url_patterns  # noqa: B018
CLASSES = sorted(set(form_classes(BaseForm)), key=str)


def test_it_finds_the_forms() -> None:
    assert len(CLASSES) > 15


@pytest.mark.parametrize("form_class", CLASSES, ids=lambda form_class: form_class.__name__)
def test_it_copies_the_fields_for_each_form(form_class: type[forms.Form]) -> None:
    # As Django's `BaseForm.__init__` does.
    fields = deepcopy(form_class.base_fields)
    for name, field in form_class.base_fields.items():
        assert fields[name] is not field, name
        assert fields[name].widget is not field.widget, name
        assert fields[name].error_messages is not field.error_messages, name
