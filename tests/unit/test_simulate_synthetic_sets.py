"""`simulate synthetic` on files whose labels are lists."""

import json
from io import StringIO

import pytest
from rich.console import Console

from backend.errors import BadRequest
from backend.simulation.sourced_rows import read_sourced_texts
from backend.simulation.synthetic import judge_rows, outcome_json
from backend.simulation.synthetic_table import print_outcome
from backend.workflows.project.progress import Silent
from tests.topics import write_texts

SETS = (["cats"], ["dogs"], ["cats", "dogs"])


def lines(count, *, source, seed, spoil=False):
    """Texts about cats, dogs or both, and their labels, which `spoil` turns round."""
    parts = {topic: write_texts(count, topics=(topic,), seed=seed) for topic in ("cats", "dogs")}
    for number in range(count):
        given = SETS[number % len(SETS)]
        text = " ".join(parts[topic][number] for topic in given)
        label = [topic for topic in ("cats", "dogs", "birds") if topic not in given] if spoil else given
        yield {"text": text, "label": label, "source": source, "generator": source and f"g{seed}"}


@pytest.fixture
def file(tmp_path):
    rows = [*lines(90, source="real", seed=0), *lines(12, source="synthetic", seed=1)]
    rows += lines(9, source="synthetic", seed=2, spoil=True)
    path = tmp_path / "mixed.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_sets_are_read_judged_and_weighed(context, file):
    rows = read_sourced_texts(file)
    assert {row.labels for row in rows if not row.is_synthetic} == {tuple(given) for given in SETS}
    found = outcome_json(judge_rows(context, rows, dataset="mixed", seed=0, progress=Silent()))
    assert (found["n_synthetic"], found["new_classes"], found["gaps"]) == (21, ["birds"], [])
    values = [item["value"] for item in found["items"]]
    assert min(values[:12]) > max(values[12:])
    assert set(found["lift_by_generator"]) == {"g1", "g2"}
    assert found["lift"]["true"] is not None
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("label", "why"),
    [
        ({"a": 1}, "an object of another shape"),
        (None, "holds no labels"),
        ([["cats"]], "is paths, as of a taxonomy"),
    ],
)
def test_a_row_without_labels_is_named(file, label, why):
    row = {"text": "whiskers", "label": label, "source": "synthetic"}
    file.write_text(file.read_text() + "\n" + json.dumps(row))
    with pytest.raises(BadRequest, match=why):
        read_sourced_texts(file)


def test_lists_of_one_label_are_one_label_each(tmp_path):
    rows = [
        {"text": "purr", "label": ["cats"], "source": "real"},
        {"text": "bark", "label": "dogs", "source": "synthetic"},
    ]
    path = tmp_path / "one.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [row.labels for row in read_sourced_texts(path)] == [("cats",), ("dogs",)]


def test_the_head_line_counts_all_real_lines(context, file):
    rows = read_sourced_texts(file)
    outcome = judge_rows(context, rows, dataset="mixed", seed=0, progress=Silent())
    out = Console(file=StringIO(), width=200)
    print_outcome(out, outcome)
    whole = outcome.taught + outcome.audit
    assert len(outcome.real_ids) == whole
    said = f"judged by {outcome.taught} of {whole} real ones; lift measured on the other {outcome.audit}."
    assert said in out.file.getvalue() and "all real" in out.file.getvalue()
