"""Single sign-on through OpenID Connect with allauth, and with stricter checks of its tokens."""

from __future__ import annotations
