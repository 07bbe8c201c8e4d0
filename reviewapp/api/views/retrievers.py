"""`/v1/retrievers`: list, get, patch, execute, and the executions of the past."""

from __future__ import annotations

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.auth import ADMIN, DECIDE, READ, AccessRule
from reviewapp.api.errors import Problem
from reviewapp.api.idempotency import decision_id, idempotent, is_retry
from reviewapp.api.retrievers import execute, executions
from reviewapp.api.retrievers import list as retrievers_list
from reviewapp.api.retrievers.edit import patch_retriever
from reviewapp.api.serializers import retrievers as shapes
from reviewapp.api.views.base import Endpoint

CAN_VIEW = AccessRule(scope=READ, permission="retrievers.view_retriever")


class RetrieverList(Endpoint):
    """`POST /v1/retrievers/list`."""

    needs = {"POST": CAN_VIEW}

    @extend_schema(
        operation_id="list_retrievers",
        parameters=[shapes.Pager],
        request=shapes.ListRetrieversRequest,
        responses=shapes.RetrieverList,
    )
    def post(self, request: Request) -> Response:
        """Return a page of retrievers, in the order they came here unless sorted otherwise."""
        data = self.body(shapes.ListRetrieversRequest)
        pager = self.query(shapes.Pager)
        return Response(retrievers_list.list_retrievers(data, pager))


class Retrievers(Endpoint):
    """`GET /v1/retrievers`."""

    needs = {"GET": CAN_VIEW}

    @extend_schema(
        operation_id="get_retrievers",
        parameters=[shapes.Pager],
        responses=shapes.RetrieverList,
    )
    def get(self, request: Request) -> Response:
        """Return a page of retrievers, in the order they came here."""
        return Response(retrievers_list.list_retrievers({}, self.query(shapes.Pager)))


class RetrieverDetail(Endpoint):
    """`/v1/retrievers/{retriever_id}`; the id may be the name."""

    needs = {
        "GET": CAN_VIEW,
        "PATCH": AccessRule(scope=ADMIN, permission="retrievers.change_retriever"),
    }

    @extend_schema(operation_id="get_retriever", responses=shapes.Retriever)
    def get(self, request: Request, retriever_id: str) -> Response:
        """Return a retriever with edits that are not delivered yet on top."""
        row = retrievers_list.get_retriever(retriever_id)
        retriever = retrievers_list.render_retrievers([row])[0]
        return Response(retriever.json(), headers={"ETag": retriever.etag})

    @extend_schema(
        operation_id="patch_retriever",
        request=shapes.PatchRetrieverRequest,
        responses=shapes.PatchedRetriever,
    )
    @idempotent
    def patch(self, request: Request, retriever_id: str) -> Response:
        """Rename, describe or tag a retriever.

        The edit is recorded at once, and a worker delivers it.
        """
        retriever, change_id = patch_retriever(
            retriever_id,
            self.body(shapes.PatchRetrieverRequest),
            if_match=request.headers.get("If-Match", ""),
            edit_id=decision_id(request),
            actor=self.person,
        )
        headers = {"ETag": retriever.etag}
        if change_id:
            headers["X-Change-Id"] = str(change_id)
        return Response({"retriever": retriever.json()}, headers=headers)


class Execute(Endpoint):
    """`POST /v1/retrievers/{retriever_id}/execute`."""

    needs = {"POST": AccessRule(scope=DECIDE, permission="retrievers.run_retriever")}

    @extend_schema(
        operation_id="execute_retriever",
        parameters=[shapes.ExecuteQuery],
        request=shapes.ExecuteRetrieverRequest,
        responses=shapes.Execution,
    )
    @idempotent
    def post(self, request: Request, retriever_id: str) -> Response:
        """Run a retriever now.

        The run and its rows are kept and can be reviewed.
        """
        if is_retry(request):
            message = _(
                "It is not known whether this run was made. To run it again, use another key."
            )
            raise Problem(409, message)

        data = self.body(shapes.ExecuteRetrieverRequest)
        key = "return_presigned_urls"
        presigned = bool(data.get(key) or self.query(shapes.ExecuteQuery).get(key))
        retriever = retrievers_list.get_retriever(retriever_id)
        reply = execute.execute_retriever(retriever, data, presigned=presigned, actor=self.person)
        return Response(reply)


class ExecutionList(Endpoint):
    """`POST /v1/retrievers/{retriever_id}/executions/list`."""

    needs = {"POST": CAN_VIEW}

    @extend_schema(
        operation_id="list_executions",
        parameters=[shapes.Pager],
        request=shapes.ListExecutionsRequest,
        responses=shapes.ExecutionList,
    )
    def post(self, request: Request, retriever_id: str) -> Response:
        """Return a page of a retriever's runs, newest first unless sorted otherwise."""
        data = self.body(shapes.ListExecutionsRequest)
        pager = self.query(shapes.Pager)
        retriever = retrievers_list.get_retriever(retriever_id)
        return Response(executions.list_retriever_executions(retriever, data, pager))


class Executions(Endpoint):
    """`GET /v1/retrievers/{retriever_id}/executions`, which Mixpeek does not have."""

    needs = {"GET": CAN_VIEW}

    @extend_schema(
        operation_id="get_executions",
        parameters=[shapes.Pager],
        responses=shapes.ExecutionList,
    )
    def get(self, request: Request, retriever_id: str) -> Response:
        """Return a page of a retriever's runs, newest first."""
        retriever = retrievers_list.get_retriever(retriever_id)
        return Response(
            executions.list_retriever_executions(retriever, {}, self.query(shapes.Pager))
        )


class ExecutionDetailView(Endpoint):
    """`GET /v1/retrievers/{retriever_id}/executions/{execution_id}`."""

    needs = {"GET": CAN_VIEW}

    @extend_schema(operation_id="get_execution", responses=shapes.ExecutionDetail)
    def get(self, request: Request, retriever_id: str, execution_id: str) -> Response:
        """Return a run as Mixpeek tells it, mostly without its rows.

        Mixpeek is asked for what is not kept here.
        """
        retriever = retrievers_list.get_retriever(retriever_id)
        reply = executions.render_execution(retriever, execution_id, actor=self.person)
        return Response(reply)
