"""`/v1/retrievers`: list, get, patch, execute, and the executions of the past."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reviewapp.api.auth import ADMIN, DECIDE, READ, Need
from reviewapp.api.errors import Problem
from reviewapp.api.idempotency import decision_id, is_second_try, once
from reviewapp.api.retrievers import execute, executions
from reviewapp.api.retrievers import list as retrievers_list
from reviewapp.api.retrievers.edit import patch
from reviewapp.api.serializers import retrievers as shapes
from reviewapp.api.views.base import Endpoint

LOOK = Need(scope=READ, permission="retrievers.view_retriever")


class RetrieverList(Endpoint):
    """`POST /v1/retrievers/list`."""

    needs = {"POST": LOOK}

    @extend_schema(
        operation_id="list_retrievers",
        parameters=[shapes.Pager],
        request=shapes.ListRetrieversRequest,
        responses=shapes.RetrieverList,
    )
    def post(self, request: Request) -> Response:
        """Return a page of retrievers, in the order they came here unless sorted otherwise."""
        return Response(retrievers_list.page(self.body(shapes.ListRetrieversRequest), self.query(shapes.Pager)))


class Retrievers(Endpoint):
    """`GET /v1/retrievers`."""

    needs = {"GET": LOOK}

    @extend_schema(operation_id="get_retrievers", parameters=[shapes.Pager], responses=shapes.RetrieverList)
    def get(self, request: Request) -> Response:
        """Return a page of retrievers, in the order they came here."""
        return Response(retrievers_list.page({}, self.query(shapes.Pager)))


class OneRetriever(Endpoint):
    """`/v1/retrievers/{retriever_id}`; the id may be the name."""

    needs = {"GET": LOOK, "PATCH": Need(scope=ADMIN, permission="retrievers.change_retriever")}

    @extend_schema(operation_id="get_retriever", responses=shapes.Retriever)
    def get(self, request: Request, retriever_id: str) -> Response:
        """Return a retriever with edits that are not delivered yet on top."""
        shown = retrievers_list.show([retrievers_list.find(retriever_id)])[0]
        return Response(shown.json(), headers={"ETag": shown.etag})

    @extend_schema(
        operation_id="patch_retriever", request=shapes.PatchRetrieverRequest, responses=shapes.PatchedRetriever
    )
    @once
    def patch(self, request: Request, retriever_id: str) -> Response:
        """Rename, describe or tag a retriever; delivered by a worker, recorded at once."""
        shown, change = patch(
            retriever_id,
            self.body(shapes.PatchRetrieverRequest),
            if_match=request.headers.get("If-Match", ""),
            edit_id=decision_id(request),
            actor=self.person,
        )
        headers = {"ETag": shown.etag} | ({"X-Change-Id": str(change)} if change else {})
        return Response({"retriever": shown.json()}, headers=headers)


class Execute(Endpoint):
    """`POST /v1/retrievers/{retriever_id}/execute`."""

    needs = {"POST": Need(scope=DECIDE, permission="retrievers.run_retriever")}

    @extend_schema(
        operation_id="execute_retriever",
        parameters=[shapes.ExecuteQuery],
        request=shapes.ExecuteRetrieverRequest,
        responses=shapes.Execution,
    )
    @once
    def post(self, request: Request, retriever_id: str) -> Response:
        """Run a retriever now; the run and its rows are kept and can be reviewed."""
        if is_second_try(request):
            raise Problem(409, "It is not known whether this run was made. Use another key to make it (again).")
        asked = self.body(shapes.ExecuteRetrieverRequest)
        name = "return_presigned_urls"
        presigned = bool(asked.get(name) or self.query(shapes.ExecuteQuery).get(name))
        retriever = retrievers_list.find(retriever_id)
        return Response(execute.execute(retriever, asked, presigned=presigned, actor=self.person))


class ExecutionList(Endpoint):
    """`POST /v1/retrievers/{retriever_id}/executions/list`."""

    needs = {"POST": LOOK}

    @extend_schema(
        operation_id="list_executions",
        parameters=[shapes.Pager],
        request=shapes.ListExecutionsRequest,
        responses=shapes.ExecutionList,
    )
    def post(self, request: Request, retriever_id: str) -> Response:
        """Return a page of a retriever's runs, newest first unless sorted otherwise."""
        asked, pager = self.body(shapes.ListExecutionsRequest), self.query(shapes.Pager)
        return Response(executions.page(retrievers_list.find(retriever_id), asked, pager))


class Executions(Endpoint):
    """`GET /v1/retrievers/{retriever_id}/executions`, which Mixpeek does not have."""

    needs = {"GET": LOOK}

    @extend_schema(operation_id="get_executions", parameters=[shapes.Pager], responses=shapes.ExecutionList)
    def get(self, request: Request, retriever_id: str) -> Response:
        """Return a page of a retriever's runs, newest first."""
        return Response(executions.page(retrievers_list.find(retriever_id), {}, self.query(shapes.Pager)))


class OneExecution(Endpoint):
    """`GET /v1/retrievers/{retriever_id}/executions/{execution_id}`."""

    needs = {"GET": LOOK}

    @extend_schema(operation_id="get_execution", responses=shapes.ExecutionDetail)
    def get(self, request: Request, retriever_id: str, execution_id: str) -> Response:
        """Return a run as Mixpeek tells it, mostly without its rows; Mixpeek is asked for what is not kept here."""
        return Response(executions.detail(retrievers_list.find(retriever_id), execution_id, actor=self.person))
