"""The closed list of actions, each with the sentence that the history shows.

A name is dotted and in the past tense. In a sentence, `{old}` and `{new}` stand for the values of
the field that the action is about; `{note}` for the event's note.
"""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Action(TextChoices):
    """What happened in an event; the label is its sentence, to be read after the actor's name."""

    ANNOTATION_CREATED = "annotation.created", _("recorded a new annotation")
    ANNOTATION_RELABELLED = "annotation.relabelled", _("relabelled {old} to {new}")
    ANNOTATION_REVISED = "annotation.revised", _("changed the annotation")
    ANNOTATION_CONFIRMED = "annotation.confirmed", _("confirmed the annotation")
    ANNOTATION_UNDECIDABLE = "annotation.undecidable", _("could not tell")
    ANNOTATION_SKIPPED = "annotation.skipped", _("skipped it")
    ANNOTATION_DEFERRED = "annotation.deferred", _("deferred it")
    ANNOTATION_RESUMED = "annotation.resumed", _("put it back in the queue")
    ANNOTATION_UNDONE = "annotation.undone", _("undid the decision")
    ANNOTATION_GONE = "annotation.gone", _("found that Mixpeek no longer has it")
    ANNOTATION_DELETED = "annotation.deleted", _("deleted the local annotation")
    DECISION_RECORDED = "decision.recorded", _("recorded a decision that never took effect")
    UNDO_RECORDED = (
        "undo.recorded",
        _("recorded the undo of a decision, which stayed in effect"),
    )
    CHANGE_QUEUED = "change.queued", _("queued a change for Mixpeek")
    CHANGE_POSTPONED = "change.postponed", _("could not deliver yet")
    CHANGE_DELIVERED = "change.delivered", _("delivered a change to Mixpeek")
    CHANGE_CONFLICTED = "change.conflicted", _("found a conflict at Mixpeek")
    CHANGE_REFUSED = "change.refused", _("was refused by Mixpeek")
    CHANGE_WITHDRAWN = "change.withdrawn", _("withdrew a change")
    CHANGE_REINSTATED = "change.reinstated", _("put back a change that waits for a person")
    CHANGE_REBASED = "change.rebased", _("compared a waiting change with newer values")
    CHANGE_RETRIED = "change.retried", _("retried a change at once")
    CHANGE_DELETED = "change.deleted", _("deleted a change")
    OUTBOX_PAUSED = "outbox.paused", _("paused all deliveries")
    OUTBOX_RESUMED = "outbox.resumed", _("resumed deliveries")
    RETRIEVER_CREATED = "retriever.created", _("recorded a new retriever")
    RETRIEVER_RENAMED = "retriever.renamed", _("renamed {old} to {new}")
    RETRIEVER_REDESCRIBED = "retriever.redescribed", _("changed the description")
    RETRIEVER_RETAGGED = "retriever.retagged", _("changed the tags")
    RETRIEVER_REBUILT = "retriever.rebuilt", _("changed how the retriever works")
    RETRIEVER_GONE = "retriever.gone", _("found that Mixpeek no longer has it")
    RETRIEVER_DELETED = "retriever.deleted", _("deleted the local retriever")
    LABELS_SET = "labels.set", _("published labels v{new}")
    GUIDELINES_WRITTEN = "guidelines.written", _("published guidelines v{new}")
    EXECUTION_REQUESTED = "execution.requested", _("ran the retriever")
    EXECUTION_SETTLED = "execution.settled", _("finished running the retriever")
    EXECUTION_DELETED = "execution.deleted", _("deleted the local execution")
    BATCH_STARTED = "batch.started", _("started to decide items together")
    BATCH_FINISHED = "batch.finished", _("finished deciding items together")
    BATCH_CHANGED = "batch.changed", _("changed the record of a batch")
    BATCH_DELETED = "batch.deleted", _("deleted the record of a batch")
    REVERT_STARTED = "revert.started", _("started to revert decisions")
    REVERT_FINISHED = "revert.finished", _("finished reverting decisions")
    REVERT_ANSWERED = "revert.answered", _("answered to a reverted decision")
    REVERT_CHANGED = "revert.changed", _("changed the record of a revert")
    REVERT_DELETED = "revert.deleted", _("deleted the record of a revert")
    EXPORT_STARTED = "export.started", _("started an export")
    EXPORT_FINISHED = "export.finished", _("finished an export")
    EXPORT_DELETED = "export.deleted", _("deleted the record of an export")
    PERSON_ADDED = "person.added", _("added the person")
    PERSON_RENAMED = "person.renamed", _("renamed {old} to {new}")
    PERSON_CHANGED = "person.changed", _("changed the person")
    PERSON_DEACTIVATED = "person.deactivated", _("deactivated the person")
    PERSON_REACTIVATED = "person.reactivated", _("reactivated the person")
    PERSON_DELETED = "person.deleted", _("deleted the person")
    ROLE_GIVEN = "role.given", _("gave the role {new}")
    ROLE_TAKEN = "role.taken", _("removed the role {old}")
    PERMISSION_GIVEN = "permission.given", _("gave the permission {new}")
    PERMISSION_TAKEN = "permission.taken", _("removed the permission {old}")
    GROUP_ADDED = "group.added", _("added the role")
    GROUP_CHANGED = "group.changed", _("changed the role")
    GROUP_DELETED = "group.deleted", _("deleted the role")
    PASSWORD_CHANGED = "password.changed", _("changed the password")
    FACTOR_ADDED = "factor.added", _("added a second factor")
    FACTOR_CHANGED = "factor.changed", _("changed a second factor")
    FACTOR_REMOVED = "factor.removed", _("removed a second factor")
    IDENTITY_LINKED = "identity.linked", _("was linked to a single sign-on account")
    IDENTITY_CHANGED = "identity.changed", _("had a single sign-on account changed")
    IDENTITY_UNLINKED = "identity.unlinked", _("was unlinked from a single sign-on account")
    ADDRESS_ADDED = "address.added", _("added an email address for signing in")
    ADDRESS_CHANGED = "address.changed", _("changed an email address for signing in")
    ADDRESS_REMOVED = "address.removed", _("removed an email address for signing in")
    INVITATION_MADE = "invitation.made", _("invited {new}")
    INVITATION_ACCEPTED = "invitation.accepted", _("accepted the invitation")
    PASSWORD_LINK_MADE = "password_link.made", _("created a link for a new password")
    PASSWORD_LINK_USED = "password_link.used", _("set a new password by the link")
    LINK_WITHDRAWN = "link.withdrawn", _("withdrew the link")
    LINK_CHANGED = "link.changed", _("changed the link")
    LINK_DELETED = "link.deleted", _("deleted the link")
    TOKEN_CREATED = "token.created", _("created an API token")
    TOKEN_CHANGED = "token.changed", _("changed an API token")
    TOKEN_REVOKED = "token.revoked", _("revoked an API token")
    TOKEN_DELETED = "token.deleted", _("deleted an API token")


class Origin(TextChoices):
    """Where a change came from; `SQL` means that it was made without an audit context."""

    WEB = "web", _("Web page")
    API = "api", _("API")
    WORKER = "worker", _("Worker")
    WEBHOOK = "webhook", _("Webhook")
    PULL = "pull", _("Pull")
    SHELL = "shell", _("Command line")
    SQL = "sql", _("SQL, outside the app")


# Origins that only record what was done at Mixpeek before.
NOTICING = frozenset({Origin.PULL, Origin.WEBHOOK})
# Origins through which people act, in the order in which the index `event_by_people` names them.
OF_PEOPLE = (Origin.WEB, Origin.API, Origin.SHELL, Origin.SQL)
