"""The outbox: changes to deliver to Mixpeek, the pause, and the shared request budget."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reviewapp.audit.actions import Action
from reviewapp.audit.triggers import NeverTruncated, Tracked
from reviewapp.outbox.querysets import ChangeQuerySet
from reviewapp.outbox.status.counting_trigger import DELIVERY_COUNTED
from reviewapp.outbox.status.presenters import (
    ICONS,
    TONES,
    FieldComparison,
    compare_fields,
    end_sentence,
)


class Change(models.Model):
    """One row of the outbox: the fields to set on a ref, their base, and the delivery state.

    `base` holds every field's value as the person saw it, `fields` only those to change. There is
    no "in progress" state: a claimed row has its `due` moved forward, and is due again if the
    worker that claimed it died.

    Lock order, for every transaction that locks both: first the rows that refs name (annotations,
    retrievers), of one table in the order of their keys, then their changes, in the order of
    theirs. People who decide, undo or withdraw lock their item first, and so does a worker that
    settles.

    "Can't tell" and its reversal set no value (`sets_values`). Their `fields` are what our stamp is
    to say: `{"outcome": "cannot_tell", "reason": text}` or `{"outcome": "reverted"}`. The `base` of
    a reversal is `{"outcome": "cannot_tell", "decision_id": id}`.
    """

    class State(models.TextChoices):
        QUEUED = "queued", gettext_lazy("Queued")
        DELIVERED = "delivered", gettext_lazy("Delivered")
        CONFLICT = "conflict", gettext_lazy("Conflict")
        REFUSED = "refused", gettext_lazy("Refused")
        WITHDRAWN = "withdrawn", gettext_lazy("Withdrawn")

    class Verb(models.TextChoices):
        SET = "set", gettext_lazy("Set fields")
        CONFIRM = "confirm", gettext_lazy("Confirm")
        CREATE = "create", gettext_lazy("Create")
        CANNOT_TELL = "cannot_tell", gettext_lazy("Can't tell")
        REVERT = "revert", gettext_lazy("Revert “can't tell”")

    ref = models.CharField(max_length=300)
    verb = models.CharField(max_length=12, choices=Verb.choices, default=Verb.SET)
    fields = models.JSONField()
    base = models.JSONField(default=dict)
    base_version = models.IntegerField(null=True)
    cause = models.UUIDField(null=True, unique=True)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150, default="")
    # Stands for the person in what Mixpeek receives, so that the name need not leave this app.
    actor_pseudonym = models.CharField(max_length=40, default="", db_default="")
    retriever_id = models.CharField(max_length=200, default="")

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    reason = models.TextField(default="")
    field_errors = models.JSONField(default=dict)
    theirs = models.JSONField(null=True)
    merged = models.JSONField(null=True)
    raced = models.JSONField(null=True)
    # `{field: value}` that the change cleared and Mixpeek still shows.
    uncleared = models.JSONField(null=True)
    # Whether the change was delivered without naming who decided.
    without_author = models.BooleanField(default=False, db_default=False)
    version = models.IntegerField(null=True)
    upstream_request_id = models.CharField(max_length=200, default="")

    # `token_bucket.Rank`. The bench inserts rows without the app, hence the database's default.
    rank = models.SmallIntegerField(default=0, db_default=0)
    attempts = models.IntegerField(default=0)
    due = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    # Whether Mixpeek may have applied an earlier attempt although no valid reply came; the next
    # attempt finds out.
    maybe_sent = models.BooleanField(default=False, db_default=False)
    # When a person last asked for a retry.
    retried_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    # How many changes waited before it on its ref when it was enqueued; only `enqueue` sets it.
    ahead: int | None = None

    objects = ChangeQuerySet.as_manager()

    class Meta:
        permissions = [("manage_change", "May retry and withdraw changes")]
        indexes = [
            # claim_many(rank): due heads
            models.Index(
                fields=["rank", "due", "id"],
                name="change_due_by_rank",
                condition=Q(state="queued"),
            ),
            # open_on(ref), and the check for an older queued change in claim()
            models.Index(fields=["ref", "id"], name="change_open", condition=Q(state="queued")),
            # oldest_waiting(): is the outbox late?
            models.Index(fields=["created_at"], name="change_oldest", condition=Q(state="queued")),
            # attention(): conflicts and refusals, newest first
            models.Index(
                fields=["-id"],
                name="change_attention",
                condition=Q(state__in=["conflict", "refused"]),
            ),
            # about(ref): the delivery chip and the timeline
            models.Index(fields=["ref", "-id"], name="change_about"),
            # the deliveries page: settled changes by state, by person and by retriever
            models.Index(
                fields=["state", "-id"],
                name="change_settled",
                condition=~Q(state="queued"),
            ),
            models.Index(
                fields=["actor_id", "-id"],
                name="change_settled_by",
                condition=~Q(state="queued"),
            ),
            models.Index(
                fields=["retriever_id", "-id"],
                name="change_settled_around",
                condition=~Q(state="queued"),
            ),
            # figures(): recent deliveries, and Mixpeek's last reply
            models.Index(
                fields=["state", "-settled_at"],
                name="change_answered",
                condition=~Q(state="queued"),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="settled_has_a_time",
                condition=Q(state="queued") | Q(settled_at__isnull=False),
            ),
        ]
        triggers = [
            Tracked(
                columns=[
                    "state",
                    "fields",
                    "reason",
                    "attempts",
                    "theirs",
                    "merged",
                    "raced",
                    "version",
                    "retried_at",
                    "uncleared",
                ],
                # Recorded only when true.
                named={"without_author": "nullif({row}.without_author, false)"},
                constant=[
                    "ref",
                    "verb",
                    "base",
                    "cause",
                    "actor_id",
                    "actor_name",
                    "actor_pseudonym",
                    "retriever_id",
                ],
                unexpected={"settled_at": "OLD.state = NEW.state"},
                retriever="{row}.retriever_id",
                created=Action.CHANGE_QUEUED,
                changed=[
                    # Only the undo of the decision that replaced it leaves this state.
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
            DELIVERY_COUNTED,
            NeverTruncated(),
        ]

    @property
    def is_open(self) -> bool:
        """Whether the change is still to be delivered."""
        return self.state == self.State.QUEUED

    @property
    def sets_values(self) -> bool:
        """Whether `fields` are values of the ref: "can't tell" and its reversal set none."""
        return self.verb not in {self.Verb.CANNOT_TELL, self.Verb.REVERT}

    @property
    def can_be_withdrawn(self) -> bool:
        """Whether it is in conflict, refused or never sent (`services.withdraw_unsent`)."""
        if self.state in {self.State.CONFLICT, self.State.REFUSED}:
            return True
        return self.is_open and self.claimed_at is None and not self.maybe_sent

    @property
    def held_for(self) -> int:
        """The seconds, rounded up, for which the person may still undo it; 0 after the hold."""
        if not self.is_open or self.claimed_at or self.attempts:
            return 0
        remaining = self.due - timezone.now()
        return max(0, ceil(remaining.total_seconds()))

    @property
    def progress(self) -> str:
        """The delivery chip's text; "delivered" only when Mixpeek's reply proved it."""
        if not self.is_open:
            return self.state_text

        seconds = self.held_for
        if seconds:
            return _("Held, sends in %(seconds)s s") % {"seconds": seconds}
        if self.attempts:
            return _("Waiting to try again")
        if self.claimed_at:
            return _("Sending")
        return _("Queued")

    @property
    def settled_caption(self) -> str:
        """The caption of its time; a conflict or a refusal still needs a person."""
        if self.state == self.State.CONFLICT:
            return _("In conflict since")
        if self.state == self.State.REFUSED:
            return _("Refused since")
        return str(self.State(self.state).label)

    @property
    def state_text(self) -> str:
        """Its state in words, and the version that a delivery made."""
        if self.state == self.State.WITHDRAWN and self.verb == self.Verb.CANNOT_TELL:
            return _("Can't tell, not sent")
        if self.state != self.State.DELIVERED:
            return str(self.State(self.state).label)

        text = _("Delivered")
        if self.verb == self.Verb.CONFIRM:
            text = _("Confirmed, delivered")
        elif self.verb == self.Verb.CANNOT_TELL:
            text = _("Can't tell, delivered")
        elif self.verb == self.Verb.REVERT:
            text = _("“Can't tell” reverted, delivered")
        if self.version is not None:
            text = f"{text} v{self.version}"
        if self.without_author:
            text = _("%(text)s without author") % {"text": text}
        return text

    @property
    def tone(self) -> str:
        """The chip's CSS class."""
        return TONES[self.state]

    @property
    def icon(self) -> str:
        """The chip's icon, so that the state is not shown by colour alone."""
        if self.held_for:
            return "pause-circle"
        return ICONS[self.state]

    @property
    def why(self) -> str:
        """The reason as a sentence."""
        return end_sentence(self.reason)

    def sets(self) -> list[FieldComparison]:
        """Return the fields it sets, as text: base and mine."""
        return compare_fields(fields=self.fields, base=self.base, theirs={}, errors={})

    def sides(self) -> list[FieldComparison]:
        """Return base, mine and theirs of each field, as text."""
        return compare_fields(
            fields=self.fields,
            base=self.base,
            theirs=self.theirs or {},
            errors=self.field_errors,
        )


class Pause(models.Model):
    """Why deliveries are paused; the outbox is paused while this one row exists."""

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
        return end_sentence(self.reason)


class Budget(models.Model):
    """The request budget that all processes share, in one row: `token_bucket.Bucket` as columns.

    It changes with every few requests and records no decision, so it has no history.
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

    # The database's clock, which the raw queries of `shared_budget.py` add.
    now: datetime

    class Meta:
        constraints = [models.CheckConstraint(name="only_one_budget", condition=Q(id=1))]
