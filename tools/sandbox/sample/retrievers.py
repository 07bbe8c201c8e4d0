"""The three retrievers of the sample, and the executions their machine labels came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.sandbox.sample import brands, notes, uploads
from tools.sandbox.sample.brands import Finding
from tools.sandbox.sample.generator import Json, ident, instant

BRANDS = "ret_brand_logo_triage"
CODING = "ret_clinical_coding"
UPLOADS = "ret_duplicates"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A retriever with the documents it works on and the machine that labels them."""

    retriever_id: str
    collection: str
    stage: str
    documents: Callable[[], Iterator[Json]]
    finding: Callable[[int], Finding]
    actor: str
    runs: tuple[Json, ...]


SOURCES = (
    Source(
        retriever_id=BRANDS,
        collection=brands.COLLECTION,
        stage="best_matches",
        documents=brands.documents,
        finding=brands.finding,
        actor="logo-detector-v4",
        runs=(
            {"query": "Okuni poster"},
            {"query": "shop sign", "country": "DE"},
            {"query": "label", "min_score": 0.6},
        ),
    ),
    Source(
        retriever_id=CODING,
        collection=notes.COLLECTION,
        stage="find_evidence",
        documents=notes.documents,
        finding=notes.finding,
        actor="coding-assistant-2026-08",
        runs=(
            {"query": "burning feet"},
            {"query": "breathless"},
            {"query": "low mood", "max_score": 0.7},
        ),
    ),
    Source(
        retriever_id=UPLOADS,
        collection=uploads.COLLECTION,
        stage="most_alike_first",
        documents=uploads.documents,
        finding=uploads.finding,
        actor="fingerprint-3",
        runs=({"min_similarity": 0.5}, {"media_type": "audio"}, {"min_similarity": 0.9}),
    ),
)


# What the second run of each retriever ran into, and what it counted.
_CAPPED: Json = {
    "limits": [
        {"name": "limit", "requested": 500, "applied": 200, "ceiling": 200, "stage": "at_most"},
    ],
    "facets": [
        {"key": "listed", "buckets": [{"value": "yes", "count": 41}, {"value": "no", "count": 19}]},
    ],
    "completeness": {"embeddings": "complete", "page": "complete", "overall": "complete"},
}


def executions() -> Iterator[Json]:
    """Yield the executions of the past, three for each retriever."""
    for source in SOURCES:
        for number, inputs in enumerate(source.runs):
            yield {
                "execution_id": execution_id(source.retriever_id, number),
                "retriever_id": source.retriever_id,
                "status": "completed",
                "created_at": instant(40 + number * 12),
                "completed_at": instant(40.00002 + number * 12),
                "duration_ms": 412.0 + 96 * number,
                "credits_used": 0.4,
                "total_processed": 200,
                "total_returned": 60,
                "cache_hit_rate": 0.0,
                "query_summary": ", ".join(f"{key}={value}" for key, value in inputs.items()),
                **(_CAPPED if number == 1 else {}),
            }


def execution_id(retriever_id: str, number: int) -> str:
    """Return the id of a retriever's execution."""
    return ident("exec", retriever_id, number)


def retrievers() -> Iterator[Json]:
    """Yield the three retrievers."""
    yield _retriever(
        BRANDS,
        "brand_logo_triage",
        (
            "Pictures from shops, listings and posters that may carry one of our logos. Decide whether the logo is real."
        ),
        collection=brands.COLLECTION,
        tags=["brand-protection", "images"],
        inputs={
            "query": _input(
                "string",
                "Words on the sign, the label or in the caption",
                required=True,
                examples=["Okuni poster", "shop sign"],
            ),
            "country": _input(
                "string",
                "Only pictures taken in this country",
                enum=["DE", "FR", "SE", "JP", "GR", "EG", "IL", "IN", "US"],
            ),
            "min_score": _input("number", "Lowest logo score, 0 to 1", default=0.2),
            "listed_since": _input(
                "date",
                "Only pictures listed on this day or later",
                default="2026-09-01",
            ),
            "max_results": _input("integer", "How many pictures at most", default=200),
        },
        stages=[
            _stage(
                "best_matches",
                "feature_search",
                "filter",
                query="{{INPUT.query}}",
                fields=["title", "caption", "brand"],
            ),
            _stage(
                "in_country",
                "attribute_filter",
                "filter",
                field="country",
                operator="eq",
                value="{{INPUT.country}}",
            ),
            _stage(
                "logo_score",
                "attribute_filter",
                "filter",
                field="detection.score",
                operator="gte",
                value="{{INPUT.min_score}}",
            ),
            _stage(
                "listed_since",
                "attribute_filter",
                "filter",
                field="listed_at",
                operator="gte",
                value="{{INPUT.listed_since}}",
            ),
            _stage("at_most", "limit", "reduce", limit="{{INPUT.max_results}}"),
        ],
    )
    yield _retriever(
        CODING,
        "clinical_coding_review",
        (
            "Notes with the diagnosis codes a model proposes. Approve the codes "
            "the note supports, and say why the others fall."
        ),
        collection=notes.COLLECTION,
        tags=["coding", "text"],
        fusion="learned",
        feature_dependencies=[
            _feature("text_extractor", "multilingual-e5-large"),
            _feature("entity_extractor", "clinical-codes"),
        ],
        inputs={
            "query": _input(
                "text",
                "Symptom, finding or treatment to look for",
                required=True,
                examples=["burning feet", "breathless"],
            ),
            "note_type": _input(
                "string",
                "Kind of note",
                enum=["progress_note", "discharge_summary"],
            ),
            "max_score": _input(
                "float",
                "Only notes the model is at most this sure of, 0 to 1",
                default=1.0,
            ),
            "since": _input("date", "Encounters on this day or later"),
            "max_results": _input("integer", "How many notes at most", default=100),
        },
        stages=[
            _stage(
                "find_evidence",
                "feature_search",
                "filter",
                query="{{INPUT.query}}",
                fields=["text", "title"],
            ),
            _stage(
                "kind_of_note",
                "attribute_filter",
                "filter",
                field="note_type",
                operator="eq",
                value="{{INPUT.note_type}}",
            ),
            _stage(
                "unsure_ones",
                "attribute_filter",
                "filter",
                field="model_score",
                operator="lte",
                value="{{INPUT.max_score}}",
            ),
            _stage(
                "since",
                "attribute_filter",
                "filter",
                field="encounter_date",
                operator="gte",
                value="{{INPUT.since}}",
            ),
            _stage("at_most", "limit", "reduce", limit="{{INPUT.max_results}}"),
        ],
    )
    yield _retriever(
        UPLOADS,
        "duplicate_and_moderation",
        (
            "Audio, video and PDF uploads, the most alike first. Decide "
            "whether it is a duplicate, and whether it may stay."
        ),
        collection=uploads.COLLECTION,
        tags=["moderation", "audio", "video", "pdf"],
        visibility="public",
        is_published=True,
        display_config={
            "title": "Is it a duplicate?",
            "inputs": [],
            "exposed_fields": ["title", "media_type", "similarity.score"],
            "field_config": {"similarity.score": {"format": "percentage"}},
            "field_mappings": {"title": "title"},
        },
        inputs={
            "min_similarity": _input(
                "number",
                "Lowest similarity with an earlier upload, 0 to 1",
                default=0.0,
            ),
            "media_type": _input(
                "string",
                "Only this kind of upload",
                enum=["audio", "video", "pdf"],
            ),
            "has_twin": _input(
                "boolean",
                "Only uploads whose nearest neighbour is known",
                default=False,
            ),
            "words": _input(
                "string",
                "Words in the title, the transcript or the text",
                examples=["invoice", "half price"],
            ),
            "max_results": _input("integer", "How many uploads at most", default=150),
        },
        stages=[
            _stage("words", "feature_search", "filter", query="{{INPUT.words}}"),
            _stage(
                "kind_of_upload",
                "attribute_filter",
                "filter",
                field="media_type",
                operator="eq",
                value="{{INPUT.media_type}}",
            ),
            _stage(
                "alike",
                "attribute_filter",
                "filter",
                field="similarity.score",
                operator="gte",
                value="{{INPUT.min_similarity}}",
            ),
            _twin_stage(),
            _stage("most_alike_first", "sort", "sort", field="similarity.score", direction="desc"),
            _stage("at_most", "limit", "reduce", limit="{{INPUT.max_results}}"),
        ],
    )


def _twin_stage() -> Json:
    known = {"field": "similarity.nearest_document_id", "operator": "is_null", "value": False}
    unasked = {
        "field": "has_twin_is_not_asked",
        "operator": "exists",
        "value": "{{INPUT.has_twin}}",
    }
    return _stage("has_twin", "attribute_filter", "filter", OR=[known, unasked])


def _input(kind: str, description: str, **more: object) -> Json:
    return {"type": kind, "description": description, "required": False, **more}


def _stage(name: str, stage_id: str, stage_type: str, **parameters: object) -> Json:
    config = {"stage_id": stage_id, "parameters": parameters}
    return {
        "stage_name": name,
        "stage_type": stage_type,
        "config": config,
        "parameters": parameters,
    }


def _retriever(
    retriever_id: str,
    name: str,
    about: str,
    *,
    collection: str,
    tags: list[str],
    inputs: Json,
    stages: list[Json],
    **more: object,
) -> Json:
    return {
        "retriever_id": retriever_id,
        "retriever_name": name,
        "description": about,
        "collection_ids": [collection],
        "collection_identifiers": [collection],
        "stages": stages,
        "input_schema": inputs,
        "budget_limits": {"max_credits": 100, "max_time_ms": 60_000},
        "tags": tags,
        "metadata": {"owner": "review desk"},
        "version": 1,
        "created_at": instant(0),
        "updated_at": instant(0),
        "created_by": "user_platform",
        "updated_by": "user_platform",
        "feature_dependencies": [_feature("text_extractor", "multilingual-e5-large")],
        "display_config": None,
        "fusion": "rrf",
        "visibility": "private",
        "is_published": False,
        "marketplace_listing_id": None,
        **more,
    }


def _feature(extractor: str, output: str) -> Json:
    return {"scheme": "mixpeek", "extractor": extractor, "version": "v1", "output": output}
