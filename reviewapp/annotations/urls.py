"""URLs of the queue, the review page and what it posts to."""

from __future__ import annotations

from django.urls import path

from reviewapp.annotations.views.changed_since import catch_up, check_for_changes
from reviewapp.annotations.views.completions import completions
from reviewapp.annotations.views.decide import (
    decide_annotation,
    defer,
    judge_result,
    resume_item,
    skip,
)
from reviewapp.annotations.views.decisions import (
    corrections_of_person,
    decision,
    decision_by_id,
    decision_totals,
    decisions,
    decisions_of_person,
    overrides,
)
from reviewapp.annotations.views.drafts import discard_draft, save_draft
from reviewapp.annotations.views.exports import export_file, export_manifest, exports
from reviewapp.annotations.views.figures import figures, figures_csv, my_figures
from reviewapp.annotations.views.jobs.batches import (
    batch,
    batches,
    preview_batch,
    start_batch,
    undo_batch,
)
from reviewapp.annotations.views.jobs.reverts import (
    answer_revert,
    new_revert,
    revert,
    revert_again,
    reverts,
)
from reviewapp.annotations.views.life import life
from reviewapp.annotations.views.palette import palette
from reviewapp.annotations.views.queue import queue
from reviewapp.annotations.views.review import (
    extend_lease,
    next_item,
    prefetch,
    release_prefetched,
    review,
)
from reviewapp.annotations.views.undo import last_action, recent, undo_decision

urlpatterns = [
    path("annotations", queue, name="queue"),
    path("palette", palette, name="palette"),
    path("annotations/next", next_item, name="next"),
    path("annotations/ahead", prefetch, name="ahead"),
    path("annotations/<int:pk>", review, name="review"),
    path("annotations/<int:pk>/decide", decide_annotation, name="decide"),
    path("annotations/<int:pk>/skip", skip, name="skip"),
    path("annotations/<int:pk>/defer", defer, name="defer"),
    path("annotations/<int:pk>/resume", resume_item, name="resume"),
    path("annotations/<int:pk>/draft", save_draft, name="draft"),
    path("annotations/<int:pk>/draft/discard", discard_draft, name="discard_draft"),
    path("annotations/<int:pk>/lease", extend_lease, name="lease"),
    path("annotations/<int:pk>/release", release_prefetched, name="release"),
    path("annotations/<int:pk>/news", check_for_changes, name="news"),
    path("annotations/<int:pk>/catch-up", catch_up, name="catch_up"),
    path("results/<int:pk>/judge", judge_result, name="judge_result"),
    path("annotations/<int:pk>/life", life, name="life"),
    path("completions/<str:kind>", completions, name="completions"),
    path("decisions", decisions, name="decisions"),
    path("decisions/totals", decision_totals, name="decision_totals"),
    path("decisions/overrides", overrides, name="overrides"),
    path("decisions/last", last_action, name="last_decision"),
    path("decisions/recent", recent, name="recent_decisions"),
    path("decisions/<int:pk>", decision, name="decision"),
    path("decisions/<uuid:decision_id>", decision_by_id, name="decision_by_id"),
    path("figures", figures, name="figures"),
    path("figures/mine", my_figures, name="my_figures"),
    path("figures/<str:figure>.csv", figures_csv, name="figures_csv"),
    path("exports", exports, name="exports"),
    path("exports/<int:pk>/file", export_file, name="export_file"),
    path("exports/<int:pk>/manifest", export_manifest, name="export_manifest"),
    path("batches", batches, name="batches"),
    path("batches/preview", preview_batch, name="preview_batch"),
    path("batches/start", start_batch, name="start_batch"),
    path("batches/<int:pk>", batch, name="batch"),
    path("batches/<int:pk>/undo", undo_batch, name="undo_batch"),
    path("reverts", reverts, name="reverts"),
    path("reverts/new", new_revert, name="new_revert"),
    path("reverts/<int:pk>", revert, name="revert"),
    path("reverts/<int:pk>/revert", revert_again, name="revert_again"),
    path("reverts/items/<int:pk>/answer", answer_revert, name="answer_revert"),
    path("people/<int:pk>/decisions", decisions_of_person, name="decisions_of_person"),
    path("people/<int:pk>/corrections", corrections_of_person, name="corrections_of_person"),
    path("decisions/<int:pk>/undo", undo_decision, name="undo"),
]
