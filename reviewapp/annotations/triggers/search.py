"""The trigger that keeps the search index of an annotation up to date, whoever writes the row.

The functions of the database that it calls are in migration 0013: `search_vector` makes the index
of a text, and `search_term` what to ask of it (`queue/search_query.py`).
"""

from __future__ import annotations

import pgtrigger

from reviewapp.audit.triggers import OwnerTrigger

_TEXTS_UPDATED = pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
    "document_id", "annotation_id", "title", "words", "label", "reasoning"
)

# A decision changes only what people write, which has the weight A: what the index holds of the
# document, with the default weight D, is taken over.
SEARCH = OwnerTrigger(
    name="searched",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | _TEXTS_UPDATED,
    declare=[("document", "tsvector")],
    func="""
    IF TG_OP = 'UPDATE' AND OLD.search IS NOT NULL
        AND (NEW.document_id, NEW.annotation_id, NEW.title, NEW.words)
            IS NOT DISTINCT FROM (OLD.document_id, OLD.annotation_id, OLD.title, OLD.words)
    THEN
        IF (NEW.label, NEW.reasoning) IS NOT DISTINCT FROM (OLD.label, OLD.reasoning) THEN
            NEW.search := OLD.search;
            RETURN NEW;
        END IF;
        document := ts_filter(OLD.search, '{d}');
    ELSE
        document := public.search_vector(
            concat_ws(' ', NEW.document_id, NEW.annotation_id, NEW.title, NEW.words)
        );
    END IF;
    NEW.search := document
        || setweight(public.search_vector(concat_ws(' ', NEW.label, NEW.reasoning)), 'A');
    RETURN NEW;
    """,
)
