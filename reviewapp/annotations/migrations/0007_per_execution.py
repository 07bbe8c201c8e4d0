"""One unannotated row for each execution, and every annotation back with the result of its own execution.

A run used to put its result on every annotation of the document for its retriever, whichever query had been judged.
"""

import sys

from django.db import connection, migrations, models
from django.db.models import F, Q

from reviewapp.retrievers.documents import evidence
from reviewapp.retrievers.documents.snapshot import digest

# What a run adds to a document at its root.
RUN_KEYS = ("score", "_score")
AT_ONCE = 500


def rejoin(apps, schema_editor):
    """Show on each annotation the result of its own execution again, and print what that changed."""
    Annotation = apps.get_model("annotations", "Annotation")
    wrong = wrongly_joined(Annotation)
    lines = []
    last = 0
    while rows := list(wrong.filter(pk__gt=last).select_related("result__execution", "decision")[:AT_ONCE]):
        last = rows[-1].pk
        for row in rows:
            lines.append(put_back(apps, row))
    if lines:
        report(f"Annotations that showed the result of another query, put back: {len(lines)}", lines)
    misled = decided_on_another_query(apps)
    if misled:
        report(f"Decisions made while the result of another query was shown; look at them again: {len(misled)}", misled)


def wrongly_joined(Annotation):
    """Return the annotations that show a result of another execution than their own, in the order of their keys.

    An annotation that names no execution belongs to the result that its standing decision rests on.
    """
    of_a_run = Annotation.objects.filter(result__execution__isnull=False)
    names_another = ~Q(execution_id="") & (
        Q(result__execution__execution_id__isnull=True) | ~Q(result__execution__execution_id=F("execution_id"))
    )
    decided_on_another = Q(execution_id="", decision__result__isnull=False) & ~Q(decision__result=F("result"))
    return of_a_run.filter(names_another | decided_on_another).order_by("pk")


def put_back(apps, annotation):
    """Show the annotation's own result on it; return a line that says what changed."""
    before = described(annotation.result)
    own = own_result(apps, annotation)
    annotation.result = own
    annotation.score = own.score
    annotation.title = evidence.document_title(own.snapshot)
    annotation.excerpt = evidence.document_excerpt(own.snapshot)
    annotation.words = evidence.document_search_text(own.snapshot)
    annotation.save(update_fields=["result", "score", "title", "excerpt", "words"])
    return f"{annotation.ref}: {before} -> {described(own)}"


def own_result(apps, annotation):
    """Return the result of the annotation's own execution; without one, the document by itself."""
    Result = apps.get_model("retrievers", "Result")
    if not annotation.execution_id:
        return annotation.decision.result
    of_document = Result.objects.filter(document_id=annotation.document_id)
    own = of_document.filter(execution__execution_id=annotation.execution_id).first()
    alone = of_document.filter(execution__isnull=True, retriever__isnull=True).order_by("-pk").first()
    return own or alone or document_alone(Result, annotation.result)


def document_alone(Result, result):
    """Return a new result that holds only the document of `result`, as it was seen then, without rank and score."""
    snapshot = {key: value for key, value in result.snapshot.items() if key not in RUN_KEYS}
    alone = Result.objects.create(
        document_id=result.document_id,
        collection_id=result.collection_id,
        snapshot=snapshot,
        digest=digest(snapshot),
    )
    Result.objects.filter(pk=alone.pk).update(created_at=result.created_at)
    return alone


def decided_on_another_query(apps):
    """Return a line for each standing decision that rests on a result of another execution than its annotation's."""
    Annotation = apps.get_model("annotations", "Annotation")
    decided = Annotation.objects.exclude(execution_id="").filter(
        decision__result__execution__execution_id__isnull=False
    )
    misled = decided.exclude(decision__result__execution__execution_id=F("execution_id"))
    rows = misled.order_by("pk").values_list(
        "ref", "execution_id", "decision__result__execution__execution_id", "decision__reviewer__username"
    )
    return [f"{ref} of {own}: decided by {name} on the result of {other}" for ref, own, other, name in rows]


def described(result):
    """Return a result in a few words, for the report."""
    if result.execution is None:
        return "the document alone"
    return f"result of {result.execution.execution_id or 'a run without an id'}, rank {result.rank}"


def report(heading, lines):
    """Print a heading and its lines."""
    sys.stdout.write("\n".join(["", f"{heading}.", *(f"  {line}" for line in lines), ""]))


def keep_one(apps, schema_editor):
    """Make room for the older constraint: of the rows that nobody touched, the newest of a document and retriever stays.

    Rows with a decision are not deleted: as long as there are two of them for one document and retriever, this
    migration cannot be taken back.
    """
    Annotation = apps.get_model("annotations", "Annotation")
    Decision = apps.get_model("annotations", "Decision")
    blank = Annotation.objects.filter(annotation_id__isnull=True)
    newer = blank.filter(
        document_id=models.OuterRef("document_id"),
        retriever=models.OuterRef("retriever"),
        pk__gt=models.OuterRef("pk"),
    )
    decided = Decision.objects.filter(annotation=models.OuterRef("pk"))
    untouched = blank.filter(status="waiting").exclude(models.Exists(decided))
    untouched.filter(models.Exists(newer)).delete()
    # A table with checks still to come cannot be altered.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0006_last_set_aside"),
        ("retrievers", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="annotation", name="once_unannotated"),
        migrations.RemoveConstraint(model_name="annotation", name="once_unannotated_by_nothing"),
        migrations.AddConstraint(
            model_name="annotation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("annotation_id__isnull", True)),
                fields=("document_id", "retriever", "execution_id"),
                name="once_unannotated",
            ),
        ),
        migrations.AddConstraint(
            model_name="annotation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("annotation_id__isnull", True), ("retriever__isnull", True)),
                fields=("document_id", "execution_id"),
                name="once_unannotated_by_nothing",
            ),
        ),
        migrations.RunPython(rejoin, keep_one),
    ]
