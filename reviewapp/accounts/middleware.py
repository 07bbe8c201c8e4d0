"""Nobody reads a page without signing in."""

from __future__ import annotations

from django.contrib.auth.middleware import LoginRequiredMiddleware


class SignInRequired(LoginRequiredMiddleware):
    """Send strangers to the sign-in page; a view that is for everybody says `@login_not_required`."""
