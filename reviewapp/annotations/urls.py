"""Where annotations live."""

from __future__ import annotations

from django.urls import path

from reviewapp.annotations.views.changed_since import ask, catch_up
from reviewapp.annotations.views.decide import decide, defer, resume, skip
from reviewapp.annotations.views.drafts import discard_draft, save_draft
from reviewapp.annotations.views.judge import judge_result
from reviewapp.annotations.views.queue import queue
from reviewapp.annotations.views.review import ahead, extend, next_item, review
from reviewapp.annotations.views.undo import last, undo

urlpatterns = [
    path("annotations", queue, name="queue"),
    path("annotations/next", next_item, name="next"),
    path("annotations/ahead", ahead, name="ahead"),
    path("annotations/<int:pk>", review, name="review"),
    path("annotations/<int:pk>/decide", decide, name="decide"),
    path("annotations/<int:pk>/skip", skip, name="skip"),
    path("annotations/<int:pk>/defer", defer, name="defer"),
    path("annotations/<int:pk>/resume", resume, name="resume"),
    path("annotations/<int:pk>/draft", save_draft, name="draft"),
    path("annotations/<int:pk>/draft/discard", discard_draft, name="discard_draft"),
    path("annotations/<int:pk>/lease", extend, name="lease"),
    path("annotations/<int:pk>/news", ask, name="news"),
    path("annotations/<int:pk>/catch-up", catch_up, name="catch_up"),
    path("results/<int:pk>/judge", judge_result, name="judge_result"),
    path("decisions/last", last, name="last_decision"),
    path("decisions/<int:pk>/undo", undo, name="undo"),
]
