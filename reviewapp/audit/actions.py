"""The closed list of actions, each with the sentence that the history shows.

A name is dotted and in the past tense. In a sentence, `{old}` and `{new}` stand for the values of
the field that the action is about; `{note}` for the event's note.
"""

from __future__ import annotations

from django.db.models import TextChoices


class Action(TextChoices):
    """What happened in an event; the label is its sentence, to be read after the actor's name."""

    ANNOTATION_CREATED = "annotation.created", "recorded a new annotation"
    ANNOTATION_RELABELLED = "annotation.relabelled", "relabelled {old} to {new}"
    ANNOTATION_REVISED = "annotation.revised", "changed the annotation"
    ANNOTATION_CONFIRMED = "annotation.confirmed", "confirmed the annotation"
    ANNOTATION_UNDECIDABLE = "annotation.undecidable", "could not tell"
    ANNOTATION_SKIPPED = "annotation.skipped", "skipped it"
    ANNOTATION_DEFERRED = "annotation.deferred", "deferred it"
    ANNOTATION_RESUMED = "annotation.resumed", "took it up again"
    ANNOTATION_UNDONE = "annotation.undone", "took the decision back"
    ANNOTATION_GONE = "annotation.gone", "found it gone upstream"
    ANNOTATION_DELETED = "annotation.deleted", "deleted the local annotation"
    DECISION_RECORDED = "decision.recorded", "recorded a decision that never came into force"
    UNDO_RECORDED = (
        "undo.recorded",
        "recorded that a decision was taken back, which then stayed in force",
    )
    CHANGE_QUEUED = "change.queued", "queued a change for Mixpeek"
    CHANGE_POSTPONED = "change.postponed", "could not deliver yet"
    CHANGE_DELIVERED = "change.delivered", "delivered a change to Mixpeek"
    CHANGE_CONFLICTED = "change.conflicted", "found a conflict upstream"
    CHANGE_REFUSED = "change.refused", "was refused by Mixpeek"
    CHANGE_WITHDRAWN = "change.withdrawn", "withdrew a change"
    CHANGE_REINSTATED = "change.reinstated", "put back what waits for a person"
    CHANGE_REBASED = "change.rebased", "compares a waiting change with other values now"
    CHANGE_RETRIED = "change.retried", "had a change tried again at once"
    CHANGE_DELETED = "change.deleted", "deleted a change"
    OUTBOX_PAUSED = "outbox.paused", "paused all deliveries"
    OUTBOX_RESUMED = "outbox.resumed", "resumed deliveries"
    RETRIEVER_CREATED = "retriever.created", "recorded a new retriever"
    RETRIEVER_RENAMED = "retriever.renamed", "renamed {old} to {new}"
    RETRIEVER_REDESCRIBED = "retriever.redescribed", "changed the description"
    RETRIEVER_RETAGGED = "retriever.retagged", "changed the tags"
    RETRIEVER_REBUILT = "retriever.rebuilt", "changed how the retriever works"
    RETRIEVER_GONE = "retriever.gone", "found it gone upstream"
    RETRIEVER_DELETED = "retriever.deleted", "deleted the local retriever"
    LABELS_SET = "labels.set", "set the labels to choose from"
    GUIDELINES_WRITTEN = "guidelines.written", "wrote the guidelines"
    EXECUTION_REQUESTED = "execution.requested", "ran the retriever"
    EXECUTION_SETTLED = "execution.settled", "finished running the retriever"
    EXECUTION_DELETED = "execution.deleted", "deleted the local execution"
    PERSON_ADDED = "person.added", "added the person"
    PERSON_RENAMED = "person.renamed", "renamed {old} to {new}"
    PERSON_CHANGED = "person.changed", "changed the person"
    PERSON_DEACTIVATED = "person.deactivated", "deactivated the person"
    PERSON_REACTIVATED = "person.reactivated", "reactivated the person"
    PERSON_DELETED = "person.deleted", "deleted the person"
    ROLE_GIVEN = "role.given", "gave the role {new}"
    ROLE_TAKEN = "role.taken", "took away the role {old}"
    PERMISSION_GIVEN = "permission.given", "gave the permission {new}"
    PERMISSION_TAKEN = "permission.taken", "took away the permission {old}"
    GROUP_ADDED = "group.added", "added the role"
    GROUP_CHANGED = "group.changed", "changed the role"
    GROUP_DELETED = "group.deleted", "deleted the role"
    PASSWORD_CHANGED = "password.changed", "changed the password"
    FACTOR_ADDED = "factor.added", "added a second factor"
    FACTOR_CHANGED = "factor.changed", "changed a second factor"
    FACTOR_REMOVED = "factor.removed", "removed a second factor"
    IDENTITY_LINKED = "identity.linked", "was linked to a single sign-on account"
    IDENTITY_CHANGED = "identity.changed", "had a single sign-on account changed"
    IDENTITY_UNLINKED = "identity.unlinked", "was unlinked from a single sign-on account"
    ADDRESS_ADDED = "address.added", "added an email address for signing in"
    ADDRESS_CHANGED = "address.changed", "changed an email address for signing in"
    ADDRESS_REMOVED = "address.removed", "removed an email address for signing in"
    INVITATION_MADE = "invitation.made", "invited {new}"
    INVITATION_ACCEPTED = "invitation.accepted", "accepted the invitation"
    PASSWORD_LINK_MADE = "password_link.made", "made a link for a new password"
    PASSWORD_LINK_USED = "password_link.used", "set a new password by the link"
    LINK_WITHDRAWN = "link.withdrawn", "withdrew the link"
    LINK_CHANGED = "link.changed", "changed the link"
    LINK_DELETED = "link.deleted", "deleted the link"
    TOKEN_CREATED = "token.created", "made an API token"
    TOKEN_CHANGED = "token.changed", "changed an API token"
    TOKEN_REVOKED = "token.revoked", "revoked an API token"
    TOKEN_DELETED = "token.deleted", "deleted an API token"


class Origin(TextChoices):
    """Where a change came from; `SQL` means that it was made without an audit context."""

    WEB = "web", "Web page"
    API = "api", "API"
    WORKER = "worker", "Worker"
    WEBHOOK = "webhook", "Webhook"
    PULL = "pull", "Pull"
    SHELL = "shell", "Command line"
    SQL = "sql", "SQL, outside the app"


# Origins that only record what was done at Mixpeek before.
NOTICING = frozenset({Origin.PULL, Origin.WEBHOOK})
