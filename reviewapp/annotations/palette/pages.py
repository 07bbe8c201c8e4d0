"""The pages that the command palette leads to, each only for people who may open it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from reviewapp.annotations.palette.choices import ChoiceKind, PaletteChoice

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

_REVIEWS = "annotations.view_annotation"
_SEES_RETRIEVERS = "retrievers.view_retriever"
_READS_HISTORY = "audit.view_event"
_MANAGES_PEOPLE = "accounts.change_user"


@dataclass(frozen=True, kw_only=True)
class PalettePage:
    """A page by the name of its URL; `permission` is what its view asks for, "" for nothing."""

    url_name: str
    title: str | Promise
    permission: str = ""
    is_own: bool = False

    def url(self, person: User) -> str:
        """Return its URL; a page that is a person's own has their key in it."""
        if self.is_own:
            return reverse(self.url_name, args=[person.pk])
        return reverse(self.url_name)


PAGES: tuple[PalettePage, ...] = (
    PalettePage(url_name="queue", title=gettext_lazy("Queue"), permission=_REVIEWS),
    PalettePage(url_name="next", title=gettext_lazy("Start reviewing"), permission=_REVIEWS),
    PalettePage(url_name="attention", title=gettext_lazy("Attention"), permission=_REVIEWS),
    PalettePage(url_name="deliveries", title=gettext_lazy("Deliveries"), permission=_REVIEWS),
    PalettePage(
        url_name="decisions_of_person",
        title=gettext_lazy("My decisions"),
        permission=_REVIEWS,
        is_own=True,
    ),
    PalettePage(
        url_name="batches",
        title=gettext_lazy("Batches"),
        permission="annotations.decide_annotation",
    ),
    PalettePage(
        url_name="corrections_of_person",
        title=gettext_lazy("My decisions corrected by others"),
        permission=_REVIEWS,
        is_own=True,
    ),
    PalettePage(url_name="my_figures", title=gettext_lazy("My figures"), permission=_REVIEWS),
    PalettePage(
        url_name="retrievers", title=gettext_lazy("Retrievers"), permission=_SEES_RETRIEVERS
    ),
    PalettePage(url_name="history", title=gettext_lazy("History"), permission=_READS_HISTORY),
    PalettePage(
        url_name="history_totals",
        title=gettext_lazy("History: totals"),
        permission=_READS_HISTORY,
    ),
    PalettePage(url_name="figures", title=gettext_lazy("Figures"), permission=_READS_HISTORY),
    PalettePage(url_name="decisions", title=gettext_lazy("Decisions"), permission=_READS_HISTORY),
    PalettePage(
        url_name="decision_totals",
        title=gettext_lazy("Decisions: totals"),
        permission=_READS_HISTORY,
    ),
    PalettePage(
        url_name="overrides", title=gettext_lazy("Overridden labels"), permission=_READS_HISTORY
    ),
    PalettePage(url_name="reverts", title=gettext_lazy("Reverts"), permission=_READS_HISTORY),
    PalettePage(url_name="exports", title=gettext_lazy("Exports"), permission=_READS_HISTORY),
    PalettePage(url_name="people", title=gettext_lazy("People"), permission=_MANAGES_PEOPLE),
    PalettePage(
        url_name="invite", title=gettext_lazy("Invite a person"), permission=_MANAGES_PEOPLE
    ),
    PalettePage(url_name="preferences", title=gettext_lazy("Preferences")),
    PalettePage(url_name="mfa_index", title=gettext_lazy("Second factor")),
    PalettePage(url_name="usersessions_list", title=gettext_lazy("Where you are signed in")),
    PalettePage(url_name="tokens", title=gettext_lazy("API tokens"), permission=_REVIEWS),
    PalettePage(url_name="api_docs", title=gettext_lazy("API documentation"), permission=_REVIEWS),
)


def pages_for(person: User) -> list[PaletteChoice]:
    """Return the pages that this person may open, in the order of the menu."""
    choices = []
    for page in PAGES:
        if not page.permission or person.has_perm(page.permission):
            choices.append(
                PaletteChoice(kind=ChoiceKind.PAGE, title=str(page.title), url=page.url(person))
            )
    return choices
