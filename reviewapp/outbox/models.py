"""Changes: our promises to Mixpeek, one row each; whether the outbox is paused; how often Mixpeek may be asked."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from django.db import models
from django.db.models import Q
from django.utils import timezone

from reviewapp.audit.actions import Action
from reviewapp.audit.triggers import NeverTruncated, Tracked
from reviewapp.outbox.querysets import ChangeQuerySet
from reviewapp.outbox.status.presenters import ICONS, TONES, Side, sentence, sides


class Change(models.Model):
    """One promise: which fields to set on which ref, from which base, and how far it got.

    `base` holds the values of every field as the person saw them, `fields` only what is to be different. There is
    no "in progress" state: a claimed row has its `due` moved forward and is due again if whoever claimed it died.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        DELIVERED = "delivered", "Delivered"
        CONFLICT = "conflict", "Conflict"
        REFUSED = "refused", "Refused"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Verb(models.TextChoices):
        SET = "set", "Set fields"
        CONFIRM = "confirm", "Confirm"
        CREATE = "create", "Create"

    ref = models.CharField(max_length=300)
    verb = models.CharField(max_length=10, choices=Verb.choices, default=Verb.SET)
    fields = models.JSONField()
    base = models.JSONField(default=dict)
    base_version = models.IntegerField(null=True)
    cause = models.UUIDField(null=True, unique=True)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150, default="")
    # How Mixpeek may be told who it was without being told the name.
    actor_pseudonym = models.CharField(max_length=40, default="", db_default="")
    retriever_id = models.CharField(max_length=200, default="")

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(default="")
    field_errors = models.JSONField(default=dict)
    theirs = models.JSONField(null=True)
    merged = models.JSONField(null=True)
    raced = models.JSONField(null=True)
    # What it cleared and Mixpeek still shows, `{field: value}`; and whether Mixpeek was not told who decided.
    uncleared = models.JSONField(null=True)
    without_author = models.BooleanField(default=False, db_default=False)
    version = models.IntegerField(null=True)
    upstream_request_id = models.CharField(max_length=200, default="")

    # `token_bucket.Rank`: whether a person waits for it. The bench writes rows without the app, hence the database's
    # default.
    rank = models.SmallIntegerField(default=0, db_default=0)
    attempts = models.IntegerField(default=0)
    due = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    # Whether an earlier try may have been carried out although no good answer came: only the next one can tell.
    maybe_sent = models.BooleanField(default=False, db_default=False)
    # When somebody asked for a try at once.
    retried_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        permissions = [("manage_change", "May retry and withdraw changes")]
        indexes = [
            # claim_many(rank): the heads that are due
            models.Index(fields=["rank", "due", "id"], name="change_due_by_rank", condition=Q(state="queued")),
            # open_on(ref), and "is an older one still queued?" in claim()
            models.Index(fields=["ref", "id"], name="change_open", condition=Q(state="queued")),
            # oldest_waiting(): is the outbox late?
            models.Index(fields=["created_at"], name="change_oldest", condition=Q(state="queued")),
            # attention(): what waits for a person, newest first
            models.Index(fields=["-id"], name="change_attention", condition=Q(state__in=["conflict", "refused"])),
            # about(ref): the delivery chip and the timeline
            models.Index(fields=["ref", "-id"], name="change_about"),
            # the deliveries page: what is settled, by state, by person and by retriever; entered once, when it is
            models.Index(fields=["state", "-id"], name="change_settled", condition=~Q(state="queued")),
            models.Index(fields=["actor_id", "-id"], name="change_settled_by", condition=~Q(state="queued")),
            models.Index(fields=["retriever_id", "-id"], name="change_settled_around", condition=~Q(state="queued")),
            # figures(): how many lately, and when Mixpeek last answered
            models.Index(fields=["state", "-settled_at"], name="change_answered", condition=~Q(state="queued")),
        ]
        constraints = [
            models.CheckConstraint(
                name="settled_has_a_time", condition=Q(state="queued") | Q(settled_at__isnull=False)
            ),
        ]
        triggers = [
            Tracked(
                columns=[
                    *("state", "fields", "reason", "attempts", "theirs", "merged", "raced", "version", "retried_at"),
                    "uncleared",
                ],
                # Only worth a word when it is so.
                named={"without_author": "nullif({row}.without_author, false)"},
                constant=["ref", "verb", "base", "cause", "actor_id", "actor_name", "actor_pseudonym", "retriever_id"],
                unexpected={"settled_at": "OLD.state = NEW.state"},
                retriever="{row}.retriever_id",
                created=Action.CHANGE_QUEUED,
                changed=[
                    # Only undoing the decision that replaced it leads out of this state.
                    ("OLD.state = 'withdrawn'", Action.CHANGE_REINSTATED),
                    ("NEW.state = 'delivered'", Action.CHANGE_DELIVERED),
                    ("NEW.state = 'conflict'", Action.CHANGE_CONFLICTED),
                    ("NEW.state = 'refused'", Action.CHANGE_REFUSED),
                    ("NEW.state = 'withdrawn'", Action.CHANGE_WITHDRAWN),
                    ("OLD.state <> 'queued'", Action.CHANGE_QUEUED),
                    ("OLD.retried_at IS DISTINCT FROM NEW.retried_at", Action.CHANGE_RETRIED),
                    ("OLD.base <> NEW.base OR OLD.fields <> NEW.fields", Action.CHANGE_REBASED),
                    ("true", Action.CHANGE_POSTPONED),
                ],
                deleted=Action.CHANGE_DELETED,
            ),
            NeverTruncated(),
        ]

    @property
    def is_open(self) -> bool:
        """Whether it is still to be delivered."""
        return self.state == self.State.QUEUED

    @property
    def held_for(self) -> int:
        """The whole seconds, rounded up, for which its person may still take it back; 0 when that is over."""
        if not self.is_open or self.claimed_at or self.attempts:
            return 0
        return max(0, ceil((self.due - timezone.now()).total_seconds()))

    @property
    def progress(self) -> str:
        """How far it got, in the words of the delivery chip; "delivered" only when the reply proved it."""
        if self.state == self.State.DELIVERED:
            return self._delivered
        if not self.is_open:
            return self.State(self.state).label
        if seconds := self.held_for:
            return f"Held, sends in {seconds} s"
        if self.attempts:
            return "Waiting to try again"
        return "Sending" if self.claimed_at else "Queued"

    @property
    def _delivered(self) -> str:
        words = "Delivered" if self.verb != self.Verb.CONFIRM else "Confirmed, delivered"
        if self.version is not None:
            words = f"{words} v{self.version}"
        if self.without_author:
            words = f"{words} without author"
        return words

    @property
    def tone(self) -> str:
        """The chip's class."""
        return TONES[self.state]

    @property
    def icon(self) -> str:
        """The chip's icon: state is never colour alone."""
        return "pause-circle" if self.held_for else ICONS[self.state]

    @property
    def why(self) -> str:
        """The reason as a sentence."""
        return sentence(self.reason)

    def sets(self) -> list[Side]:
        """Return what it sets, field by field, in words: `base` becomes `mine`."""
        return sides(fields=self.fields, base=self.base, theirs={}, errors={})

    def sides(self) -> list[Side]:
        """Return base, mine and theirs, field by field, in words."""
        return sides(fields=self.fields, base=self.base, theirs=self.theirs or {}, errors=self.field_errors)


class Pause(models.Model):
    """Why nothing is being delivered; the outbox is paused while this one row exists."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    reason = models.TextField()
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        permissions = [("resume_outbox", "May resume deliveries")]
        constraints = [models.CheckConstraint(name="only_one_pause", condition=Q(id=1))]
        triggers = [
            Tracked(
                columns=["reason"],
                ref="'outbox'",
                created=Action.OUTBOX_PAUSED,
                changed=[("true", Action.OUTBOX_PAUSED)],
                deleted=Action.OUTBOX_RESUMED,
            ),
            NeverTruncated(),
        ]

    @property
    def why(self) -> str:
        """The reason as a sentence."""
        return sentence(self.reason)


class Budget(models.Model):
    """The rate budget of all processes together, in its one row: `token_bucket.Bucket` as columns.

    Nobody decides anything here and it moves with every few requests, so it leaves no history.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    interactive = models.FloatField()
    bulk = models.FloatField()
    background = models.FloatField()
    at = models.DateTimeField()
    fraction = models.FloatField(default=1.0)
    lowered_at = models.DateTimeField(null=True)
    stepped_at = models.DateTimeField(null=True)
    told = models.IntegerField(null=True)
    told_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")

    # What a reading adds: the database's clock at that moment.
    now: datetime

    class Meta:
        constraints = [models.CheckConstraint(name="only_one_budget", condition=Q(id=1))]
