"""Mixpeek's shapes of annotations."""

from __future__ import annotations

from rest_framework import serializers

from reviewapp.api.serializers.common import hold, label_field, values
from reviewapp.api.serializers.fields import Flag, Instant, Object, Text, Whole, optional, shape

MAX_PER_PAGE = 500
DEFAULT_PER_PAGE = 50
MAX_BULK_OPERATIONS = 1000
MAX_SKIP = 2**31 - 1
_ID = {"max_length": 200}

ListQuery = shape(
    "ListAnnotationsQuery",
    "The pager of annotations.",
    skip=Whole(required=False, min_value=0, max_value=MAX_SKIP, default=0),
    limit=Whole(required=False, min_value=1, max_value=MAX_PER_PAGE, default=DEFAULT_PER_PAGE),
)
ListAnnotationsRequest = shape(
    "ListAnnotationsRequest",
    "Equal values, all of which must match; with `as_of`, as everything stood at that instant.",
    document_id=optional(Text),
    collection_id=optional(Text),
    label=optional(Text),
    actor_id=optional(Text),
    retriever_id=optional(Text),
    as_of=optional(Instant),
)
StatsQuery = shape(
    "AnnotationStatsQuery",
    "What to count.",
    document_id=optional(Text),
    collection_id=optional(Text),
)
CreateAnnotationRequest = shape(
    "CreateAnnotationRequest",
    "A new annotation of a document.",
    document_id=Text(min_length=1, **_ID),
    label=label_field(),
    **values(),
    metadata=optional(Object),
    collection_id=optional(Text, **_ID),
    retriever_id=optional(Text, **_ID),
    execution_id=optional(Text, **_ID),
    stage_name=optional(Text, **_ID),
    hold=hold(),
)
Base = shape(
    "AnnotationBase",
    "The values that the caller had read; what is left out counts as unchanged.",
    label=optional(Text),
    **values(),
    metadata=optional(Object),
)
PatchAnnotationRequest = shape(
    "PatchAnnotationRequest",
    "What to change. Null clears; a null label counts as not given. `base` and `hold` are ours: "
    "with `base`, a value that somebody changed since is answered with 409 instead of being "
    "written over.",
    label=label_field(required=False, allow_null=True),
    **values(),
    metadata=optional(Object),
    base=optional(Base),
    hold=hold(),
)
BulkCreate = shape(
    "BulkAnnotationCreate",
    "One annotation to create.",
    document_id=Text(min_length=1, **_ID),
    label=label_field(),
    **values(),
    collection_id=optional(Text, **_ID),
    retriever_id=optional(Text, **_ID),
    execution_id=optional(Text, **_ID),
    stage_name=optional(Text, **_ID),
    hold=hold(),
)
BulkUpdate = shape(
    "BulkAnnotationUpdate",
    "One annotation to change.",
    annotation_id=Text(min_length=1),
    label=label_field(required=False, allow_null=True),
    **values(),
    hold=hold(),
)
BulkAnnotationsRequest = shape(
    "BulkAnnotationsRequest",
    "Independent operations, up to 1,000 of each kind, each held by itself if it asks for it; "
    "deleting is reported as failed, for it is not offered.",
    create=serializers.ListField(
        child=BulkCreate(),
        required=False,
        allow_null=True,
        max_length=MAX_BULK_OPERATIONS,
    ),
    update=serializers.ListField(
        child=BulkUpdate(),
        required=False,
        allow_null=True,
        max_length=MAX_BULK_OPERATIONS,
    ),
    delete=serializers.ListField(
        child=Text(),
        required=False,
        allow_null=True,
        max_length=MAX_BULK_OPERATIONS,
    ),
)

Revision = shape(
    "AnnotationRevision",
    "One edit, backwards: what version `version` had in the fields it changed.",
    version=Whole(),
    prior=Object(),
    edited_at=Instant(),
    edited_by=Text(),
    edited_by_type=Text(),
)
Annotation = shape(
    "AnnotationResponse",
    "An annotation, with what is not delivered yet on top. Its id is Mixpeek's, or `local-...` "
    "until Mixpeek has it.",
    annotation_id=Text(),
    document_id=Text(),
    namespace_id=Text(),
    collection_id=optional(Text),
    label=label_field(),
    **values(),
    metadata=optional(Object),
    retriever_id=optional(Text),
    execution_id=optional(Text),
    stage_name=optional(Text),
    actor_id=Text(),
    actor_type=Text(),
    created_at=optional(Instant),
    updated_at=optional(Instant),
    version=Whole(),
    revisions=Revision(many=True),
)
AnnotationList = shape(
    "ListAnnotationsResponse",
    "One page.",
    results=Annotation(many=True),
    total_count=Whole(),
)
Stats = shape(
    "AnnotationStatsResponse",
    "How many annotations there are, by label.",
    total=Whole(),
    by_label=serializers.DictField(child=Whole()),
)
Version = shape(
    "AnnotationVersion",
    "One version and the edit that made it; the edit is null for the first.",
    version=Whole(),
    current=Flag(),
    edited_at=optional(Instant),
    edited_by=optional(Text),
    edited_by_type=optional(Text),
    changed_fields=serializers.ListField(child=Text(), allow_null=True),
)
Versions = shape(
    "AnnotationVersionsResponse",
    "Every version, oldest first.",
    annotation_id=Text(),
    current_version=Whole(),
    versions=Version(many=True),
)
BulkResult = shape(
    "BulkAnnotationResult",
    "What became of one operation; `change_id` is ours.",
    operation=serializers.ChoiceField(choices=["create", "update", "delete"]),
    success=Flag(),
    annotation_id=optional(Text),
    error=optional(Text),
    change_id=optional(Whole, help_text="See GET /v1/changes/{change_id}."),
)
BulkAnnotationsResponse = shape(
    "BulkAnnotationsResponse",
    "200 even when operations failed: look at each.",
    created_count=Whole(),
    updated_count=Whole(),
    deleted_count=Whole(),
    failed_count=Whole(),
    results=BulkResult(many=True),
)
