"""Decide in tests: by the service, by the form of the review page, and by posting that form."""

from __future__ import annotations

import uuid
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services
from reviewapp.annotations.decide.forms import DecisionForm, initial_data
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.outbox.models import Change


def submission(annotation: Annotation, **values: Any) -> Submission:
    """Return the submission that confirms this object's values, except for `values`."""
    confirmation: dict[str, Any] = {
        "decision_id": uuid.uuid4(),
        "base": annotation.seen(),
        **annotation.values(),
    }
    return Submission(**confirmation | values)


def decide(annotation: Annotation, actor: User, **values: Any) -> Decision:
    """Let `actor` decide the annotation as it is in the database, but for `values`."""
    annotation.refresh_from_db()
    return services.decide(annotation.pk, submission(annotation, **values), actor=actor)


def queue_decision(annotation: Annotation, actor: User, **values: Any) -> Change:
    """Decide as `decide` does and return the change that this queued for Mixpeek."""
    decision = decide(annotation, actor, **values)
    return Change.objects.get(cause=decision.decision_id)


def filled_form(annotation: Annotation, **changes: Any) -> dict[str, Any]:
    """Return the data of the review page's form, rendered from this object, with `changes`.

    A label among them that nobody has used is one to create.
    """
    created = changes.get("label") or changes.get("choice", "")
    data = initial_data(annotation, now=timezone.now())
    data = {**data, "outcome": "decided", "new_label": created, **changes}
    return {name: "" if value is None else value for name, value in data.items()}


def decide_by_form(
    annotation: Annotation,
    actor: User,
    *,
    hold: int = 60,
    **typed: Any,
) -> Decision:
    """Let `actor` decide with the form, rendered from the database, into which they type."""
    current = Annotation.objects.get(pk=annotation.pk)
    form = DecisionForm(filled_form(current, **typed), annotation=current)
    assert form.is_valid()
    return services.decide(current.pk, form.submission(hold=hold), actor=actor)


def post_decision(client: Client, annotation: Annotation, **changes: Any) -> Any:
    """Post the form of `filled_form` and return the response."""
    return client.post(reverse("decide", args=[annotation.pk]), filled_form(annotation, **changes))
