"""One retriever: what it is, the form that edits it in place, and what it was before."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.audit.models import Event
from reviewapp.audit.presenters.diffs import field_diffs
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.json_values import same
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services
from reviewapp.retrievers.editing import form_state
from reviewapp.retrievers.editing.edit import FIELDS, settled
from reviewapp.retrievers.editing.form_state import Draft
from reviewapp.retrievers.editing.forms import EditForm
from reviewapp.retrievers.editing.versions import Version, back_to, versions
from reviewapp.retrievers.executions.stage_text import inputs, readable
from reviewapp.retrievers.forms import RunForm
from reviewapp.retrievers.guidance.markdown import rendered
from reviewapp.retrievers.models import Execution, Retriever
from reviewapp.retrievers.views.paging import around, page_of
from reviewapp.web.http import Request, page_or, wants_fragment, whole_number

WAITING_CAP = 1000
_MOST_VERSIONS = 30
_USED = "This form was saved before, and that stands. Save again to make what differs from it below a new edit."
# The fields whose errors stand beside them.
_SHOWN = {*FIELDS, "keep_name", "keep_description"}
may_see = permission_required("retrievers.view_retriever", raise_exception=True)
may_change = permission_required("retrievers.change_retriever", raise_exception=True)


@require_safe
@may_see
def retriever(request: Request, pk: int) -> HttpResponse:
    """Show what a retriever is and was, its runs, and (to those who may) the forms that change and run it."""
    found = load(pk)
    earlier = whole_number(request.GET.get("like", ""))
    like = found.executions.filter(pk=earlier).first() if earlier else None
    change = waiting(found, request.GET.get("change", "")) if request.GET.get("change") else None
    draft = form_state.mending(found, change) if change and may_edit(request, found) else None
    errors = {name: [said] for name, said in change.field_errors.items()} if change else {}
    form = RunForm(found, like=like.inputs if like else None)
    return show(request, found, form=form, draft=draft, errors=errors, mending=change)


@require_http_methods(["GET", "HEAD", "POST"])
@may_change
def edit_retriever(request: Request, pk: int) -> HttpResponse:
    """Give out the form, or save what was typed; whatever stands in the way is said beside it."""
    found = load(pk)
    if request.method == "GET":
        return show(request, found, draft=form_state.opening(found) if may_edit(request, found) else None)
    form = EditForm(request.POST)
    if not form.is_valid():
        return show(request, found, draft=form.draft(found), errors=form.errors, status=422)
    try:
        change = services.edit(pk, form.edit(), actor=request.user)
    except (services.Unacceptable, services.RetrieverGone) as error:
        said = getattr(error, "fields", {"": str(error)})
        errors = {name: [sentence] for name, sentence in said.items()}
        return show(request, found, draft=form.draft(found), errors=errors, status=422)
    except services.Stale as stale:
        draft = form_state.overtaken(form.draft(found), stale)
        told: dict[str, Any] = {"faster": _faster(found, stale), "settled": settled(stale)}
        return show(request, load(pk), draft=draft, stale=stale, status=409, **told)
    except services.EditIdTaken:
        draft = form_state.anew(form.draft(found), load(pk))
        return show(request, load(pk), draft=draft, notice=_USED, status=409)
    messages.success(request, "Saved. It is on its way to Mixpeek." if change else "Nothing was different.")
    return show(request, load(pk), whole=True) if wants_fragment(request) else redirect("retriever", pk)


@require_safe
@may_see
def version(request: Request, pk: int, event: int) -> HttpResponse:
    """Show a retriever as it stood from one event on, the way back, and what else has changed since."""
    found = load(pk)
    kept = past(found)
    then = next((one for one in kept if one.event.pk == event), None)
    if then is None:
        raise Http404
    fields = back_to(then.values, found.values())
    other = {name: [getattr(found, name), was] for name, was in then.values.items() if name not in FIELDS}
    context = {
        "retriever": found,
        "version": then,
        "latest": then is kept[0],
        "stages": readable(then.values["stages"]),
        "diffs": field_diffs({name: pair for name, pair in other.items() if not same(*pair)}),
        "restoring": field_diffs({name: [getattr(found, name), then.values[name]] for name in fields}),
        "draft": form_state.wishing(found, fields) if fields and may_edit(request, found) else None,
    }
    return render(request, "retrievers/version.html", context)


def _faster(found: Retriever, stale: services.Stale) -> str:
    """Return who last set a text in question, as the history knows it; "" where it does not."""
    newest = next((one for one in past(found) if set(one.changed) & set(stale.conflicts)), None)
    return str(newest.event.actor_name or newest.event.get_origin_display()) if newest else ""


def load(pk: int) -> Retriever:
    """Return a retriever with what its page shows of its neighbours; 404 when there is none."""
    related = ("label_set__created_by", "guidelines__created_by")
    return get_object_or_404(Retriever.objects.with_waiting(WAITING_CAP).select_related(*related), pk=pk)


def may_edit(request: Request, found: Retriever) -> bool:
    """Return whether this person can change this retriever."""
    return found.gone_at is None and request.user.has_perm("retrievers.change_retriever")


def waiting(found: Retriever, named: str) -> Change | None:
    """Return the conflict or refusal of this retriever with that key."""
    key = whole_number(named)
    return Change.objects.attention().filter(ref=found.ref, pk=key).first() if key else None


def past(found: Retriever) -> list[Version]:
    """Return the newest versions of a retriever, the one in force first."""
    events = Event.objects.about(found.ref).filter(action__startswith="retriever.").iterator(chunk_size=100)
    return list(islice(versions(events, vars(found)), _MOST_VERSIONS))


def show(
    request: Request,
    found: Retriever,
    *,
    form: RunForm | None = None,
    draft: Draft | None = None,
    whole: bool = False,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Render the page, or for htmx the part that changed; `more` may be `errors`, `stale`, `notice`, `mending`."""
    errors = more.get("errors") or {}
    context = {
        "retriever": found,
        "draft": draft,
        "problems": [said[0] for name, said in errors.items() if name not in _SHOWN],
        **_details(request, found, draft),
        **more,
    }
    part = request.htmx.target if wants_fragment(request) else ""
    if part == "details" and not whole:
        return page_or("retrievers/_details.html", request, "retrievers/retriever.html", context, status=status)
    context |= _rest(request, found, form or RunForm(found))
    if part == "executions":
        return page_or("retrievers/_executions.html", request, "retrievers/retriever.html", context)
    if part and whole:
        said = " ".join(map(str, messages.get_messages(request)))
        response = render(request, "retrievers/_retriever.html", context | {"said": said})
        response["HX-Retarget"], response["HX-Trigger"] = "#retriever", json.dumps({"say": said})
        return response
    return render(request, "retrievers/retriever.html", context, status=status)


def _details(request: Request, found: Retriever, draft: Draft | None) -> dict[str, Any]:
    changes = Change.objects.about(found.ref)
    return {
        "cap": WAITING_CAP,
        "may_edit": may_edit(request, found),
        "change": changes.first(),
        "troubles": list(changes.attention()[:5]),
        "tags_in_use": Retriever.objects.tags_in_use() if draft else [],
    }


def _rest(request: Request, found: Retriever, form: RunForm) -> dict[str, Any]:
    page = page_of(Execution.objects.of(found), order=("-created_at", "-id"), request=request)
    return {
        "stages": readable(found.stages),
        "inputs": inputs(found.input_schema),
        "guidelines_html": rendered(found.guidelines.text) if found.guidelines else "",
        "form": form if request.user.has_perm("retrievers.run_retriever") and found.gone_at is None else None,
        "page": page,
        "history": timeline(found.ref),
        "versions": past(found),
    } | around(page, request)
