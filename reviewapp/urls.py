"""Which URL leads where."""

from __future__ import annotations

from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

handler400 = "reviewapp.accounts.views.errors.malformed"
handler403 = "reviewapp.accounts.views.errors.forbidden"
handler500 = "reviewapp.accounts.views.errors.failed"

# No two of them match one path. Django tries them in this order: what is requested most often comes
# first, and the many pages of accounts come last.
urlpatterns = [
    path("", require_safe(RedirectView.as_view(pattern_name="queue")), name="home"),
    path("", include("reviewapp.operations.urls")),
    path("", include("reviewapp.annotations.urls")),
    path("", include("reviewapp.api.urls")),
    path("", include("reviewapp.audit.urls")),
    path("", include("reviewapp.outbox.urls")),
    path("", include("reviewapp.sync.urls")),
    path("", include("reviewapp.deliveries.urls")),
    path("", include("reviewapp.retrievers.urls")),
    path("", include("reviewapp.accounts.urls")),
]
