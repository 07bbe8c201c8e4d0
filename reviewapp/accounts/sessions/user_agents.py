"""Describe a browser from its user agent. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# In this order: each browser also names those after it in its user agent.
_BROWSERS: dict[str, str | Promise] = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
    "curl/": "curl",
    "python-requests/": _("A Python script"),
}
_SYSTEMS: dict[str, str | Promise] = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def describe_user_agent(user_agent: str) -> str:
    """Return "Firefox on Windows" and the like; an unknown user agent is returned shortened."""
    browser = _first_match(_BROWSERS, user_agent)
    if not browser:
        return user_agent[:60] or gettext("An unknown browser")

    system = _first_match(_SYSTEMS, user_agent)
    if not system:
        return browser
    return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}


def _first_match(names: Mapping[str, str | Promise], user_agent: str) -> str:
    for token, name in names.items():
        if token in user_agent:
            return str(name)
    return ""
