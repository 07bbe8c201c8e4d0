"""Messages to the next page, in a cookie whose name no other installation at this host uses."""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class _InstanceCookieStorage(CookieStorage):
    cookie_name = settings.MESSAGES_COOKIE_NAME


class InstanceStorage(FallbackStorage):
    """Django's default storage: the cookie, and the session for what does not fit into it."""

    storage_classes = (_InstanceCookieStorage, SessionStorage)
