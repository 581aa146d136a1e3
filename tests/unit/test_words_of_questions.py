"""What people read of the questions of each kind: answers without a label, and the names of figures."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.workflows.project.figures import QuestionFigure, QuestionFigures, Signals
from backend.workflows.serving.answers import Answered, in_words
from backend.workflows.views.dashboard.questions import question_cards

PAIR = (
    '<View><Text name="a" value="$a"/><Text name="b" value="$b"/>'
    '<Pairwise name="better" toName="a,b"/></View>'
)
TICKS = (
    '<View><Text name="text" value="$text"/><Choices name="topics" toName="text" choice="multiple">'
    '<Choice value="cats"/><Choice value="dogs"/></Choices></View>'
)


@pytest.mark.parametrize(("xml", "words"), [(PAIR, "neither"), (TICKS, "none of the labels")])
def test_an_answer_without_a_label_is_called_as_people_mean_it(xml, words):
    (question,) = parse_label_config(xml).questions
    assert in_words(Answered(question, (), 0.7)) == words


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("taxonomy", "hierarchical F1"),
        ("taxonomy", "exact paths"),
        ("taxonomy", "first level right"),
        ("pairwise", "accuracy where a side was named"),
        ("pairwise", "share of ties"),
    ],
)
def test_figures_have_names_for_people(kind, name):
    figure = QuestionFigure(name=name, value=None, low=None, high=None, n=2, higher_is_better=True)
    question = QuestionFigures(name="q", kind=kind, metric="m", labels=9, blind=2, figures=[figure])
    (card,) = question_cards(Signals(questions=[question]), has_choice=True)
    (shown,) = card["figures"]
    assert shown["name"][0].isupper() and shown["name"] != name
