"""No export, however odd, ends in a traceback: it is read, or refused in a sentence."""

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import NextlabelError
from backend.simulation.answered_file import read_answered_file
from backend.simulation.rows import Wanted, read_labelled_file
from tests.unit.test_simulate_exports import CONFIG

words = st.sampled_from(["", "a", "b", " a ", "é", "'", "x" * 30])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    words,
    st.integers(-3, 12),
    st.just(10**400),
    st.just(2.5),
    st.just(float("inf")),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=2)
)
keys = st.sampled_from(["choices", "rating", "number", "taxonomy", "labels", "text", "start", "id"])
values = st.dictionaries(keys, st.lists(words, max_size=3) | anything, max_size=3) | anything
regions = st.fixed_dictionaries(
    {},
    optional={
        "from_name": st.sampled_from(["topics", "stars"]) | anything,
        "type": st.sampled_from(["choices", "rating", "number", "taxonomy"]) | anything,
        "value": values,
        "id": st.sampled_from(["a", "b"]) | anything,
    },
)
annotations = st.fixed_dictionaries(
    {"result": st.lists(regions | anything, max_size=4) | anything},
    optional={
        "was_cancelled": anything,
        "completed_by": anything,
        "created_at": anything,
        "updated_at": anything,
        "ground_truth": anything,
        "parent_prediction": anything,
    },
)
data = st.dictionaries(st.sampled_from(["text", "html", "body", "topics"]), words | anything, max_size=3)
tasks = st.fixed_dictionaries(
    {"data": data | anything, "annotations": st.lists(annotations | anything, max_size=3) | anything},
    optional={"id": anything, "is_labeled": anything, "updated_at": anything},
)
files = st.lists(tasks | anything, max_size=6)
wrapped = st.fixed_dictionaries(
    {"tasks": files}, optional={"config": st.sampled_from([CONFIG, "<View>"]) | anything, "title": anything}
)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(files | wrapped, st.sampled_from(["", "several choices", "rating", "number", "single choice"]))
def test_any_export_is_read_or_refused_in_a_sentence(content, kind):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.json"
        path.write_text(json.dumps(content))
        for read in (lambda: read_answered_file(path, Wanted(), kind=kind), lambda: read_labelled_file(path)):
            try:
                found = read()
            except NextlabelError as error:
                assert error.message
            else:
                assert found.rows
                assert all(isinstance(note, str) and note for note in found.notes)
