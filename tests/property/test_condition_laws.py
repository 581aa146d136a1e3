"""Conditions of questions: what is given is always shown by the answers that are given."""

from hypothesis import given
from hypothesis import strategies as st

from backend.label_studio.controls.conditions import find_shown, keep_shown, said_shown
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task

LABELS = ["A", "B", "C"]
names = st.sampled_from([f"q{number}" for number in range(6)])


@st.composite
def conditions(draw):
    kind = draw(st.sampled_from(["", "", "choice-selected", "choice-unselected", "region-selected"]))
    if not kind:
        return ""
    name = draw(st.one_of(st.just(""), names))
    values = ",".join(draw(st.lists(st.sampled_from(LABELS), max_size=2)))
    return (
        f'visibleWhen="{kind}"'
        + (f' whenTagName="{name}"' if name else "")
        + (f' whenChoiceValue="{values}"' if values else "")
    )


@st.composite
def configs(draw):
    """Six questions, each under up to two conditions, and one that everybody is asked."""
    tags = ['<Choices name="first" toName="text"><Choice value="A"/><Choice value="B"/></Choices>']
    for number in range(6):
        form = draw(st.sampled_from(["single", "multiple"]))
        inside = "".join(f'<Choice value="{label}"/>' for label in LABELS)
        own, around = draw(conditions()), draw(conditions())
        control = f'<Choices name="q{number}" toName="text" choice="{form}" {own}>{inside}</Choices>'
        tags.append(f"<View {around}>{control}</View>")
    return parse_label_config(f'<View><Text name="text" value="$text"/>{"".join(tags)}</View>')


targets = st.dictionaries(
    st.one_of(names, st.just("first")), st.lists(st.sampled_from(LABELS), max_size=3, unique=True).map(tuple)
)


@given(configs(), targets)
def test_what_is_given_is_shown_by_the_answers_that_are_given_alone(config, answers):
    kept = keep_shown(config.questions, answers)
    given = {name: answers[name] for name in kept}
    assert set(kept) <= set(said_shown(config.questions, given))
    assert keep_shown(config.questions, given) == kept


@given(configs(), targets)
def test_a_further_answer_never_takes_back_what_the_others_tell(config, answers):
    told = find_shown(config.questions, answers)
    rest = {question.name: () for question in config.questions if question.name not in answers}
    full = find_shown(config.questions, answers | rest)
    assert all(full[name] is not None for name in full)
    assert all(full[name] == shown for name, shown in told.items() if shown is not None)


@given(configs(), targets)
def test_what_is_learned_from_a_person_is_what_that_person_was_shown(config, answers):
    regions = [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(answer)}}
        for name, answer in answers.items()
    ]
    state = read_task({"id": 1, "data": {"text": "words"}, "annotations": [{"result": regions}]}, config)
    assert set(state.targets) <= set(said_shown(config.questions, state.targets))
