"""Two versions of a label set compared, value by value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reviewapp.retrievers.guidance.comparison import as_changes, compare_label_sets, compare_texts
from reviewapp.retrievers.guidance.form_settings import FormSettings, Required, StartsFrom
from reviewapp.retrievers.guidance.label_set_content import LabelSetContent
from reviewapp.retrievers.guidance.labels import Label

LABELS = st.lists(
    st.builds(Label, value=st.sampled_from("abc"), title=st.sampled_from(["", "A", "B"])),
    unique_by=lambda label: label.value,
)
SETTINGS = st.builds(
    FormSettings,
    starts_from=st.sampled_from(StartsFrom),
    reasoning_required=st.sampled_from(Required),
)
CONTENTS = st.builds(
    LabelSetContent, labels=LABELS.map(tuple), other_allowed=st.booleans(), settings=SETTINGS
)


@given(CONTENTS, CONTENTS)
def test_it_finds_a_difference_exactly_where_there_is_one(
    old: LabelSetContent, new: LabelSetContent
) -> None:
    assert bool(as_changes(compare_label_sets(old, new))) is (old != new)


def test_it_names_labels_of_either_side_and_their_order() -> None:
    old = LabelSetContent(labels=(Label(value="a"), Label(value="b"), Label(value="gone")))
    new = LabelSetContent(
        labels=(Label(value="new"), Label(value="b", title="B", colour="red"), Label(value="a"))
    )
    assert as_changes(compare_label_sets(old, new)) == {
        "“b”": ["b", "b · B · red"],
        "“gone”": ["gone", None],
        "“new”": [None, "new"],
        "order": ["a, b", "b, a"],
    }


def test_it_compares_texts() -> None:
    assert as_changes(compare_texts("a", "a")) == {}
    assert as_changes(compare_texts("a", "")) == {"text": ["a", ""]}
