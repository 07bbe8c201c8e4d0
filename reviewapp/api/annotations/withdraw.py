"""Withdraw an unsent change: one's own while it is held, or any that waits as a lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from reviewapp.annotations.decide import undo
from reviewapp.annotations.models import Decision
from reviewapp.api.errors import Problem, not_found
from reviewapp.deliveries import services
from reviewapp.outbox.models import Change

if TYPE_CHECKING:
    from reviewapp.accounts.models import User


def withdraw_change_by_id(change_id: int, *, actor: User) -> Change:
    """Withdraw a change and return it; safe to repeat. Raises 403, 404, and 409 if too late."""
    change = Change.objects.filter(pk=change_id).first()
    if change is None:
        raise not_found("change", str(change_id))
    if change.state == Change.State.WITHDRAWN:
        return change

    own_decision = None
    if change.cause and change.held_for:
        decisions = Decision.objects.filter(decision_id=change.cause, reviewer=actor)
        own_decision = decisions.first()

    if own_decision is None:
        if not services.withdraw_change(change, actor=actor):
            raise _too_late(_("Too late: it was sent, or is being sent at this moment."))
    else:
        try:
            undo.undo(own_decision.pk, actor=actor)
        except undo.TooLate as error:
            raise _too_late(_("Too late: it is being sent now.")) from error
        except undo.DecidedAgain as error:
            raise _too_late(_("Too late: a newer decision was made.")) from error

    change.refresh_from_db()
    return change


def _too_late(message: str) -> Problem:
    return Problem(409, message, code="too_late")
