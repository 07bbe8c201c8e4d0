"""People, and how each of them likes to work."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person who signs in; roles are groups (see `roles.py`), the rest are that person's own preferences."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "Like my system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    theme = models.CharField(max_length=10, choices=Theme.choices, default=Theme.SYSTEM)
    single_keys = models.BooleanField("single-key shortcuts", default=True)
    key_map = models.JSONField(default=dict, blank=True)
    blur_media = models.BooleanField("blur media until I ask", default=False)
    greyscale_media = models.BooleanField("show media in grey", default=False)
    mute_media = models.BooleanField("start media muted", default=False)

    # The permission that was asked for last and refused: the 403 page says which role holds it.
    refused = ""

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Return whether this person holds `perm`, and remember a refusal."""
        held: bool = super().has_perm(perm, obj)
        if not held:
            self.refused = perm
        return held
