"""The API's own rows: tokens, their use in this minute, and answers to repeated requests."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from reviewapp.audit.actions import Action
from reviewapp.audit.triggers import NeverTruncated, Tracked


class ApiToken(models.Model):
    """A person's key for scripts.

    Only its SHA-256 is kept; `prefix` is shown so that people can tell theirs apart.

    A token can never do more than its person may: scope and permission must both allow.
    """

    class Scope(models.TextChoices):
        READ = "read", _("Read")
        DECIDE = "decide", _("Read, decide and run retrievers")
        ADMIN = "admin", _("Everything my role may do")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="api_tokens",
        db_index=False,
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.READ)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    # Whether it was there already when its form came in: then it is shown again and not made.
    again = False

    class Meta:
        indexes = [models.Index(fields=["owner", "-id"], name="api_token_of")]
        triggers = [
            Tracked(
                columns=["name", "prefix", "scope", "expires_at", "revoked_at"],
                # Never the digest itself: history is read by people.
                secret={"digest": "{row}.digest"},
                constant=["owner_id"],
                ref="'tokens/' || {row}.id",
                created=Action.TOKEN_CREATED,
                changed=[
                    ("OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL", Action.TOKEN_REVOKED),
                    ("true", Action.TOKEN_CHANGED),
                ],
                deleted=Action.TOKEN_DELETED,
            ),
            NeverTruncated(),
        ]

    def allows(self, scope: str) -> bool:
        """Return whether this token's scope includes `scope`; each includes the ones before it."""
        scopes = list(self.Scope.values)
        return scopes.index(self.scope) >= scopes.index(scope)


class TokenUse(models.Model):
    """The requests of a token in the minute of its last use; shared by all web processes."""

    token = models.OneToOneField(
        ApiToken,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="use",
    )
    minute = models.BigIntegerField()
    requests = models.IntegerField()


class KeptAnswer(models.Model):
    """A write that carried an `Idempotency-Key`, and what was answered to it.

    Without a status there is no answer to repeat: `is_claimed` says whether a request is making it,
    or whether the last one was told to try again. The ids of the write's decisions follow from
    `seed`, which is random and never shown, so they are the same at every try and nobody can guess
    them.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    seed = models.UUIDField(default=uuid.uuid4)
    is_claimed = models.BooleanField(default=True)
    status = models.SmallIntegerField(null=True)
    body = models.JSONField(null=True)
    headers = models.JSONField(default=dict)
    started_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="one_answer_a_key")]
        indexes = [models.Index(fields=["started_at"], name="kept_answer_age")]
