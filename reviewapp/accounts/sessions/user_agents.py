"""What a browser is called, told from what it says about itself. Pure."""

from __future__ import annotations

# The first that is named counts: each pretends to be those after it as well.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
    "curl/": "curl",
    "python-requests/": "A Python script",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def readable(user_agent: str) -> str:
    """Return "Firefox on Windows" and the like; what nobody knows comes back as it is, shortened."""
    browser = next((name for sign, name in _BROWSERS.items() if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS.items() if sign in user_agent), "")
    if not browser:
        return user_agent[:60] or "An unknown browser"
    return f"{browser} on {system}" if system else browser
