"""Names of model versions."""

import pytest

from backend.label_studio.versions import next_version, version_number


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("nl-000001", 1),
        ("nl-000012-label-names", 12),
        ("nl-1234567", 1234567),
        ("nl-1", None),
        ("nl-000001-other", None),
        ("NL-000001", None),
        ("undefined", None),
        ("", None),
        ("nl-000001\n", None),
    ],
)
def test_only_our_own_names_have_a_number(name, number):
    assert version_number(name) == number


def test_the_next_name_was_never_used():
    known = ["nl-000002", "nl-000009-label-names", "somebody-elses-7", ""]
    assert next_version(known, by_name=False) == "nl-000010"
    assert next_version(known, by_name=True) == "nl-000010-label-names"


def test_the_first_name_is_number_one():
    assert next_version([], by_name=True) == "nl-000001-label-names"


def test_later_names_sort_behind_earlier_ones():
    names = []
    for number in range(12):
        names.append(next_version(names, by_name=number % 3 == 0))
    assert sorted(names) == names
