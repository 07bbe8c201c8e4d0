"""Bulk or one by one: whatever takes fewer requests, as far as a round may reach."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reviewapp.sync.deliver.bulk_plan import (
    MAX_PAGES,
    MAX_WRITTEN,
    PAGE,
    BulkPlan,
    Head,
    Listing,
    plan_bulk_write,
)

LABELS = st.sampled_from(["logo", "no logo", "partial", "unsure"])
RETRIEVERS = st.sampled_from(["ret_a", "ret_b", ""])
PARTS = st.lists(st.tuples(RETRIEVERS, LABELS, LABELS), max_size=60)
SIZES = st.dictionaries(st.tuples(RETRIEVERS, st.none() | LABELS), st.integers(0, 30_000))


def heads(*parts: tuple[str, str, str]) -> list[Head]:
    return [
        Head(pk=pk, retriever_id=one, label=old, wanted=new)
        for pk, (one, old, new) in enumerate(parts, 1)
    ]


def test_it_reads_a_small_retriever_as_a_whole() -> None:
    found = plan_bulk_write(
        heads(*[("ret_a", "logo", "no logo")] * 100), lambda retriever, label: 700
    )
    whole = (Listing(retriever_id="ret_a", pages=2),)
    assert (len(found.heads), found.before, found.after) == (100, whole, whole)
    assert found.requests == 5


def test_it_reads_by_label_where_that_is_less() -> None:
    sizes = {("ret_a", None): 9000, ("ret_a", "logo"): 600, ("ret_a", "no logo"): 20}
    found = plan_bulk_write(
        heads(*[("ret_a", "logo", "no logo")] * 100), lambda *group: sizes[group]
    )
    assert found.before == (Listing(retriever_id="ret_a", label="logo", pages=2),)
    assert found.after == (Listing(retriever_id="ret_a", label="no logo", pages=1),)


def test_it_leaves_a_few_to_the_careful_way() -> None:
    assert plan_bulk_write(heads(("ret_a", "logo", "no logo")), lambda *group: 1) == BulkPlan()
    assert (
        plan_bulk_write(heads(*[("ret_a", "logo", "no logo")] * 30), lambda *group: 9000)
        == BulkPlan()
    )


@given(parts=PARTS, sizes=SIZES, times=st.integers(1, 40))
def test_it_never_takes_more_requests_than_one_by_one(
    parts: list[tuple[str, str, str]], sizes: dict[tuple[str, str | None], int], times: int
) -> None:
    given = heads(*parts * times)
    found = plan_bulk_write(given, lambda *group: sizes.get(group, 0))
    by_pk = {head.pk: head for head in given}
    assert found.requests <= len(found.heads)
    assert len(set(found.heads)) == len(found.heads) <= MAX_WRITTEN
    assert len({by_pk[pk].retriever_id for pk in found.heads}) <= 1
    for lists in (found.before, found.after):
        assert sum(listing.pages for listing in lists) <= MAX_PAGES


@given(parts=PARTS, sizes=SIZES, times=st.integers(1, 40))
def test_it_reads_every_list_that_a_change_may_be_in(
    parts: list[tuple[str, str, str]], sizes: dict[tuple[str, str | None], int], times: int
) -> None:
    given = heads(*parts * times)
    found = plan_bulk_write(given, lambda *group: sizes.get(group, 0))
    for head in given:
        if head.pk in found.heads:
            for lists, label in ((found.before, head.label), (found.after, head.wanted)):
                fitting = [
                    one
                    for one in lists
                    if one.label in {None, label} and one.retriever_id == head.retriever_id
                ]
                assert fitting
                assert fitting[0].pages * PAGE >= sizes.get(
                    (head.retriever_id, fitting[0].label), 0
                )
