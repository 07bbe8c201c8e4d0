"""The machine labels on the sample's documents: some edited since, some documents without one."""

from __future__ import annotations

from collections.abc import Iterator

from tools.sandbox.sample.generator import Json, chance, ident, instant
from tools.sandbox.sample.retrievers import SOURCES, Source, execution_id

_EDITORS = (("user_mkoenig", "user"), ("user_tadeyemi", "user"), ("key_9f27c1d0ab34", "api_key"))
_REMARKS = (
    "Looked at the original: the earlier label holds only for the left part.",
    "Second reader agrees with this one. The first had the thumbnail only.",
    "Changed after the team call; see the guideline on borderline cases.",
)


def machine_labels() -> Iterator[Json]:
    """Yield the annotations of every source."""
    for source in SOURCES:
        for number, document in enumerate(source.documents()):
            pick = chance("labelled", source.retriever_id, number)
            if pick.random() >= 0.8:
                continue
            label = _machine_label(source, number, document)
            if pick.random() < 0.12:
                label = _edited(label, source, number)
            yield label


def _machine_label(source: Source, number: int, document: Json) -> Json:
    finding = source.finding(number)
    run = number % len(source.runs)
    created_at = instant(40.01 + run * 12 + number / 1000)
    return {
        "annotation_id": ident("ann", source.retriever_id, number),
        "document_id": document["document_id"],
        "collection_id": source.collection,
        "label": finding.label,
        "confidence": finding.confidence,
        "reasoning": finding.reasoning,
        "payload": finding.payload,
        "metadata": {"model": source.actor},
        "retriever_id": source.retriever_id,
        "execution_id": execution_id(source.retriever_id, run),
        "stage_name": source.stage,
        "actor_id": source.actor,
        "actor_type": "system",
        "created_at": created_at,
        "updated_at": created_at,
        "version": 1,
        "revisions": [],
    }


def _edited(label: Json, source: Source, number: int) -> Json:
    pick = chance("edited", source.retriever_id, number)
    labels = {source.finding(other).label for other in range(40)}
    other_labels = sorted(labels - {label["label"]})
    after = dict(label)
    for version in range(1, pick.randint(2, 4)):
        editor, kind = pick.choice(_EDITORS)
        change: Json = {
            "confidence": round(pick.uniform(0.5, 1), 2),
            "reasoning": pick.choice(_REMARKS),
        }
        if version == 1:
            change["label"] = pick.choice(other_labels)
        prior = {key: after[key] for key, value in change.items() if after[key] != value}
        edited_at = instant(66 + version * 2.5 + number / 1000)
        revision = {
            "version": version,
            "prior": prior,
            "edited_at": edited_at,
            "edited_by": editor,
            "edited_by_type": kind,
        }
        after = {
            **after,
            **change,
            "version": version + 1,
            "revisions": [*after["revisions"], revision],
            "updated_at": edited_at,
        }
    return after
