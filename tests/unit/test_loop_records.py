"""The record of every loop: what went in, what came out, what was advised and decided."""

import csv
import io

from backend.workflows.views.dashboard.actions import go_back
from backend.workflows.views.loop_records import loop_records, records_as_csv


def test_every_loop_tells_its_data_its_seed_its_metrics_and_its_advice(context, trained):
    first, second, third = loop_records(trained.workspace)
    assert [record["labels"] for record in (first, second, third)] == [0, 6, 12]
    assert len({record["fingerprint"] for record in (first, second, third)}) == 3
    assert third["fingerprint"] == trained.project.active_fingerprint
    assert {record["seed"] for record in (first, second, third)} == {third["order_seed"][0]}
    assert third["order_seed"][1] == 12
    assert third["metrics"]["labels"] == 12
    assert third["signals"]["advice"]["words"]


def test_a_loop_that_found_nothing_new_leaves_no_record(context, trained):
    trained.loop()
    assert len(loop_records(trained.workspace)) == 3


def test_decisions_stand_with_the_loop_they_followed(context, trained):
    go_back(trained.workspace, "nl-000002", by="Ada")
    *_earlier, last = loop_records(trained.workspace)
    (decision,) = last["decisions"]
    assert (decision["by"], decision["words"]) == ("Ada", "went back to model 2")


def test_the_table_has_a_row_a_loop_and_a_column_a_metric(context, trained):
    records = loop_records(trained.workspace)
    rows = list(csv.DictReader(io.StringIO(records_as_csv(records))))
    assert [row["loop"] for row in rows] == [str(record["loop"]) for record in records]
    assert rows[-1]["fingerprint"] == records[-1]["fingerprint"]
    assert rows[-1]["order_seed"] == " ".join(str(part) for part in records[-1]["order_seed"])
    assert rows[-1]["metric_labels"] == str(records[-1]["metrics"]["labels"])
    assert rows[-1]["advice"] == "keep-labeling"
    assert rows[0]["advice"] == rows[0]["macro_f1"] == ""


def test_a_project_without_loops_has_an_empty_table():
    heading, *rows = csv.reader(io.StringIO(records_as_csv([])))
    assert heading[0] == "loop" and rows == []
