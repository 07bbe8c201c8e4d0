"""Pull the retrievers, which one list of Mixpeek's holds."""

from __future__ import annotations

from reviewapp.audit.context import acting
from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import NotFound, Refused, Unreadable
from reviewapp.mixpeek.records import LeftOut
from reviewapp.retrievers import mirror
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.pull.counts import Counts


def pull(client: Client, counts: Counts) -> None:
    """Absorb all retrievers; one that is not listed and not found is marked as gone.

    Raises `MixpeekError`.
    """
    left_out: list[LeftOut] = []
    records = client.list_retrievers(left_out=left_out)
    counts.leave_out(left_out)

    listed_ids = {record.retriever_id for record in records} | counts.left_out.keys()
    unlisted = Retriever.objects.present().exclude(retriever_id__in=listed_ids)
    gone_ids = []
    for retriever_id in unlisted.values_list("retriever_id", flat=True):
        try:
            is_gone = client.get_retriever(retriever_id).retriever_id != retriever_id
        except NotFound:
            is_gone = True
        except (Refused, Unreadable):
            is_gone = False
        if is_gone:
            gone_ids.append(retriever_id)

    with acting(None, note="pull"):
        counts.add(mirror.absorb_retriever(records))
        counts.gone += mirror.mark_retrievers_gone(gone_ids)
