"""Which labels are in use already: a new one is confirmed, a used one is kept to the letter."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from reviewapp.annotations.models import Annotation
from reviewapp.naming import tidy
from reviewapp.postgres.statement import sql_file

_LABEL_IS_USED = sql_file(__file__, "label_is_used.sql", bool)


def is_new_label(annotation: Annotation, label: str) -> bool:
    """Return whether nobody has used `label` yet.

    It is not in the label set, on no annotation of the retriever, and was never proposed for this
    annotation or decided on it. Each query uses an index.
    """
    if label == annotation.label:
        return False
    label_set = annotation.label_set
    if label_set and label in label_set.values():
        return False
    if _LABEL_IS_USED.first(retriever=annotation.retriever_id, label=label):
        return False
    is_decided = Q(decisions__label=label) | Q(decisions__base__label=label)
    in_history = Q(proposed__label=label) | is_decided
    return not Annotation.objects.filter(in_history, pk=annotation.pk).exists()


def exact_labels(annotation: Annotation, label: str) -> set[str]:
    """Return the labels that a decision keeps to the letter: the annotation's own here and at
    Mixpeek, and `label` if other annotations of the retriever have it.

    Without a query unless the label has another form than people's labels have.
    """
    kept = annotation.standing_labels()
    is_untidy = label != tidy(label)
    if is_untidy and _LABEL_IS_USED.first(retriever=annotation.retriever_id, label=label):
        kept.add(label)
    return kept


def new_label_question(label: str) -> str:
    """Return the question whether a label that nobody has used yet is meant."""
    question = _("New label “%(label)s”? Nobody has used it here yet.") % {"label": label}
    if len(label) == 1 and label.isdigit():
        hint = _(
            "If you meant the key %(label)s, clear this field, press Esc, then press the key again."
        ) % {"label": label}
        return f"{question} {hint}"
    return question
