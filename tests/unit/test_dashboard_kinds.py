"""What the page calls answers, by the kind of the first question, and what it says before there are any."""

import numpy as np
import pytest

from backend.label_studio.controls.question import SINGLE_CHOICE
from backend.task_types import TASK_TYPES
from backend.workflows.project.figures import QuestionFigure, QuestionFigures, QuestionLabelRow, Signals
from backend.workflows.views.dashboard.nouns import first_kind, nouns, part_of
from backend.workflows.views.dashboard.number_ranges import name_ranges
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.dashboard.questions import question_cards

SEVERAL = """<View><Text name="text" value="$text"/><Choices name="topic" toName="text" choice="multiple">
  <Choice value="cats"/><Choice value="dogs"/></Choices></View>"""


def asked(kind, **fields):
    return QuestionFigures(name="q", kind=kind, metric="", labels=12, blind=4, **fields)


def cards(question):
    return question_cards(Signals(questions=[question]), has_choice=True)


@pytest.mark.parametrize("kind", TASK_TYPES)
def test_every_kind_has_its_own_words(kind):
    assert nouns(kind) != nouns(SINGLE_CHOICE) or kind == SINGLE_CHOICE
    assert part_of(kind) == ("label" if kind == SINGLE_CHOICE else nouns(kind)["part"])


def test_the_kind_is_that_of_the_config(connected):
    assert first_kind(connected.workspace) == SINGLE_CHOICE


def test_before_the_first_answer_nothing_is_promised_that_never_comes(workbench, label_studio, client):
    label_studio.change_project(workbench.project_id, label_config=SEVERAL)
    workbench.connect()
    view = build_dashboard(workbench.workspace)
    assert view["to_come"] == [] and view["nouns"]["many"] == "sets of labels"
    page = client.get(f"/projects/{workbench.project_id}").text
    assert "Sets of labels, with their number of tasks:" in page and "Click a set of labels" in page
    assert (
        "for this kind of question none is drawn yet" in page and "class" not in view["headline"][0]["words"]
    )


@pytest.mark.parametrize(
    ("blind", "words"),
    [
        (0, "no blind answer yet"),
        (4, "from 10 blind answers on; there are 4"),
        (12, "too few blind answers (12)"),
    ],
)
def test_a_figure_that_is_not_there_says_when_it_comes(blind, words):
    figure = QuestionFigure(name="micro F1", value=None, low=None, high=None, n=blind)
    (card,) = cards(asked("several choices", figures=[figure]))
    assert card["figures"][0]["words"] == words


def test_what_looks_wrong_has_a_column_only_where_something_does():
    plain = [QuestionLabelRow(label="left", labels=7), QuestionLabelRow(label="right", labels=5)]
    (card,) = cards(asked("pairwise", per_label=plain))
    assert (card["parts"], card["has_doubt"]) == ("side", False)
    doubted = QuestionLabelRow(label="left", labels=7, mistaken=2, missing=1)
    (card,) = cards(asked("pairwise", per_label=[doubted, plain[1]]))
    assert [row["doubt"] for row in card["per_label"]] == ["2 given by mistake, 1 missing", ""]
    assert card["has_doubt"]


def test_numbers_are_told_in_ranges_of_round_width():
    ranges = name_ranges([f"{number:.6g}" for number in [*np.linspace(3.2, 14.7, 60), 900.0]])
    assert len(set(ranges.values())) <= 8
    assert (ranges["3.2"], ranges["900"]) == ("below 4", "14 and more")
    assert ranges["12.1661"] == "12 to 14"


@pytest.mark.parametrize(
    ("written", "ranges"),
    [
        ([], {}),
        (["3", "few"], {"3": "all numbers"}),
        (["nan", "1e400"], {}),
        (["-0.001", "0.001"], {"-0.001": "below -0.0005", "0.001": "0.0005 and more"}),
    ],
)
def test_odd_numbers_have_ranges_too(written, ranges):
    assert name_ranges(written) == ranges
