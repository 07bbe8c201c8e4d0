"""The page of one retriever, the form that edits it in place, and its earlier versions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from reviewapp.audit.models import Event
from reviewapp.audit.presenters.diffs import field_diffs
from reviewapp.audit.presenters.timeline import timeline
from reviewapp.json_values import is_same_json
from reviewapp.outbox.models import Change
from reviewapp.retrievers import services
from reviewapp.retrievers.editing import form_state
from reviewapp.retrievers.editing.edit import (
    RETRIEVER_FIELDS,
    RetrieverEdit,
    change_fields,
    merge_sentences,
)
from reviewapp.retrievers.editing.form_state import EditFormState
from reviewapp.retrievers.editing.forms import EditForm
from reviewapp.retrievers.editing.tag_text import quote_tag
from reviewapp.retrievers.editing.versions import (
    SHOWN,
    Version,
    back_to,
    last_editor,
    numbered_versions,
    retriever_versions,
)
from reviewapp.retrievers.executions.forms import RunForm
from reviewapp.retrievers.executions.stage_text import describe_inputs, describe_stages
from reviewapp.retrievers.guidance.markdown import render_markdown
from reviewapp.retrievers.models import Execution, Retriever
from reviewapp.retrievers.views.paging import load_page
from reviewapp.web.http import Request, parse_whole_number, render_page_or_fragment, wants_fragment
from reviewapp.web.pagination import PageLinks

WAITING_CAP = 1000
_MAX_VERSIONS = 30
_ID_USED = gettext_lazy(
    "This form was already saved. Save again to save the values below as another edit."
)
# The fields whose errors are shown next to them.
_FIELDS_WITH_ERRORS = {*RETRIEVER_FIELDS, "keep_name", "keep_description"}

view_permission_required = permission_required("retrievers.view_retriever", raise_exception=True)
change_permission_required = permission_required(
    "retrievers.change_retriever", raise_exception=True
)


@require_safe
@view_permission_required
def retriever(request: Request, pk: int) -> HttpResponse:
    """Show a retriever, its history and runs, and the forms that edit and run it, if permitted."""
    retriever = load(pk)

    like = None
    execution_pk = parse_whole_number(request.GET.get("like", ""))
    if execution_pk:
        execution = retriever.executions.filter(pk=execution_pk).first()
        like = execution.inputs if execution else None
    form = RunForm(retriever, like=like)

    draft = None
    errors: dict[str, list[str]] = {}
    change = find_change(retriever, request.GET.get("change", ""))
    if change:
        errors = {name: [message] for name, message in change.field_errors.items()}
        if may_edit(request, retriever):
            draft = form_state.draft_from_change(retriever, change)

    return render_retriever(
        request, retriever, form=form, draft=draft, errors=errors, mending=change
    )


@require_http_methods(["GET", "HEAD", "POST"])
@change_permission_required
def edit_retriever(request: Request, pk: int) -> HttpResponse:
    """Show the edit form, or save it; errors and conflicts are shown in the form."""
    retriever = load(pk)
    if request.method == "GET":
        draft = form_state.new_draft(retriever) if may_edit(request, retriever) else None
        return render_retriever(request, retriever, draft=draft)

    form = EditForm(request.POST)
    if not form.is_valid():
        draft = form.draft(retriever)
        return render_retriever(request, retriever, draft=draft, errors=form.errors, status=422)

    submitted = form.edit()
    note = _restore_note(retriever, submitted, request.POST.get("restores", ""))
    try:
        change = services.edit(pk, submitted, actor=request.user, note=note)
    except (services.InvalidEdit, services.RetrieverGone) as error:
        # The errors of no field in particular have the name "".
        messages_by_field = getattr(error, "fields", {"": str(error)})
        errors = {name: [message] for name, message in messages_by_field.items()}
        draft = form.draft(retriever)
        return render_retriever(request, retriever, draft=draft, errors=errors, status=422)
    except services.StaleEdit as stale:
        return render_retriever(
            request,
            load(pk),
            draft=form_state.draft_with_conflicts(form.draft(retriever), stale),
            stale=stale,
            faster=last_editor(load_versions(retriever), stale.conflicts),
            merge_sentences=merge_sentences(stale),
            status=409,
        )
    except services.EditIdTaken:
        draft = form_state.draft_with_new_id(form.draft(retriever), load(pk))
        return render_retriever(request, load(pk), draft=draft, notice=_ID_USED, status=409)

    message = _("Saved. It will be sent to Mixpeek.") if change else _("Nothing changed.")
    messages.success(request, message)
    return _saved_response(request, pk)


def _saved_response(request: Request, pk: int) -> HttpResponse:
    if wants_fragment(request):
        return render_retriever(request, load(pk), whole=True)
    return redirect("retriever", pk)


def _restore_note(retriever: Retriever, submitted: RetrieverEdit, event: str) -> str:
    """Return which version an edit restores, by the key of its event; "" if it restores none."""
    event_pk = parse_whole_number(event)
    if not event_pk:
        return ""

    current = retriever.values()
    for earlier in load_versions(retriever):
        is_restored = change_fields(submitted, current) == back_to(earlier.values, current)
        if earlier.event.pk == event_pk and is_restored:
            return f"restores version {earlier.number}"
    return ""


@require_safe
@view_permission_required
def version(request: Request, pk: int, event: int) -> HttpResponse:
    """Show a retriever as of one event, the form that restores it, and what else has changed."""
    retriever = load(pk)
    earlier_versions = load_versions(retriever)
    matching = [item for item in earlier_versions if item.event.pk == event]
    if not matching:
        raise Http404
    shown_version = matching[0]

    fields = back_to(shown_version.values, retriever.values())
    restored = {}
    not_restored = {}
    for name, value in shown_version.values.items():
        current = getattr(retriever, name)
        if name in fields:
            restored[name] = [current, value]
        elif name not in RETRIEVER_FIELDS and not is_same_json(current, value):
            not_restored[name] = [current, value]

    draft = None
    if fields and may_edit(request, retriever):
        draft = form_state.draft_from_fields(retriever, fields)

    context = {
        "retriever": retriever,
        "version": shown_version,
        "latest": shown_version is earlier_versions[0],
        "stages": describe_stages(shown_version.values["stages"]),
        "diffs": field_diffs(not_restored),
        "restoring": field_diffs(restored),
        "draft": draft,
    }
    return render(request, "retrievers/version.html", context)


def load(pk: int) -> Retriever:
    """Return a retriever with the relations that its page shows; raise `Http404` if missing."""
    retrievers = Retriever.objects.with_waiting(WAITING_CAP)
    retrievers = retrievers.select_related("label_set__created_by", "guidelines__created_by")
    return get_object_or_404(retrievers, pk=pk)


def may_edit(request: Request, retriever: Retriever) -> bool:
    """Return whether this person can change this retriever."""
    return retriever.gone_at is None and request.user.has_perm("retrievers.change_retriever")


def find_change(retriever: Retriever, text: str) -> Change | None:
    """Return the conflicting or refused change of this retriever with the key in `text`."""
    key = parse_whole_number(text)
    if not key:
        return None
    return Change.objects.attention().filter(ref=retriever.ref, pk=key).first()


def load_versions(retriever: Retriever) -> list[Version]:
    """Return the newest versions of a retriever, the current one first."""
    events = Event.objects.about(retriever.ref).filter(action__startswith="retriever.")
    versions = retriever_versions(events.iterator(chunk_size=100), vars(retriever))
    newest = list(islice(versions, _MAX_VERSIONS))

    total = len(newest)
    if total == _MAX_VERSIONS:
        total = events.filter(changes__has_any_keys=SHOWN).count()
    return numbered_versions(newest, total)


def render_retriever(
    request: Request,
    retriever: Retriever,
    *,
    form: RunForm | None = None,
    draft: EditFormState | None = None,
    whole: bool = False,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """Render the page, or for htmx its changed part.

    `more` is added to the context: `errors`, `stale`, `faster`, `merge_sentences`, `notice`,
    `mending`.
    """
    changes = Change.objects.about(retriever.ref)
    context = {
        "retriever": retriever,
        "draft": draft,
        "problems": _general_errors(more.get("errors") or {}),
        "cap": WAITING_CAP,
        "may_edit": may_edit(request, retriever),
        "change": changes.first(),
        "troubles": list(changes.attention()[:5]),
        "tags_in_use": list(map(quote_tag, Retriever.objects.tags_in_use())) if draft else [],
        **more,
    }
    page = "retrievers/retriever.html"
    target = request.htmx.target if wants_fragment(request) else ""
    if target == "details" and not whole:
        return render_page_or_fragment(
            "retrievers/_details.html", request, page, context, status=status
        )

    context |= _page_context(request, retriever, form or RunForm(retriever))
    if target == "executions":
        return render_page_or_fragment("retrievers/_executions.html", request, page, context)

    if target and whole:
        message = " ".join(map(str, messages.get_messages(request)))
        response = render(request, "retrievers/_retriever.html", context | {"said": message})
        response["HX-Retarget"] = "#retriever"
        response["HX-Trigger"] = json.dumps({"say": message})
        return response
    return render(request, page, context, status=status)


def _general_errors(errors: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the first error of each field that does not show its own errors."""
    general = []
    for name, field_errors in errors.items():
        if name not in _FIELDS_WITH_ERRORS:
            general.append(field_errors[0])
    return general


def _page_context(request: Request, retriever: Retriever, form: RunForm) -> dict[str, Any]:
    executions = Execution.objects.of(retriever)
    page = load_page(executions, order=("-created_at", "-id"), request=request)
    may_run = request.user.has_perm("retrievers.run_retriever") and retriever.gone_at is None
    guidelines = retriever.guidelines
    return {
        "stages": describe_stages(retriever.stages),
        "inputs": describe_inputs(retriever.input_schema),
        "guidelines_html": render_markdown(guidelines.text) if guidelines else "",
        "form": form if may_run else None,
        "page": page,
        "history": timeline(retriever.ref),
        "versions": load_versions(retriever),
        "pager": PageLinks(page=page, path=reverse("retriever", args=[retriever.pk])),
    }
