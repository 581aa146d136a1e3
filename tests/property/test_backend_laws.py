"""Laws of the backend that hold for any input: configs, tasks, scores, versions, hints and tokens."""

from xml.sax.saxutils import quoteattr

from hypothesis import assume, given
from hypothesis import strategies as st

from backend.errors import BadRequest, UnsupportedConfig
from backend.label_studio.auth import token_kind
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.objects.html import html_text
from backend.label_studio.queue_order import live_score, window_score
from backend.label_studio.results import target_result
from backend.label_studio.tasks import content_hash, read_task, task_content
from backend.label_studio.text_template import names_the_task
from backend.label_studio.versions import next_version, version_number
from backend.workflows.training.names import readable_name
from tests.fake_label_studio import is_valid_prediction

XML = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="topic" toName="text"><Choice value="A"/><Choice value="B"/></Choices></View>'
)
CONFIG = parse_label_config(XML)
xml_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"]), min_size=1)
field_names = st.from_regex(r"\w[\w-]*", fullmatch=True).filter(
    lambda name: not (names_the_task(name) or name.startswith("nextlabel_"))
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
regions = st.fixed_dictionaries(
    {},
    optional={
        "from_name": st.sampled_from(["topic", "other"]) | json_values,
        "value": st.fixed_dictionaries({"choices": json_values | st.lists(st.sampled_from("AB"))})
        | json_values,
    },
)
annotations = st.fixed_dictionaries(
    {},
    optional={
        "result": st.lists(regions | json_values, max_size=3) | json_values,
        "was_cancelled": json_values,
    },
)


@given(
    st.lists(xml_text.filter(lambda label: "$" not in label), min_size=2, max_size=6, unique=True),
    st.lists(field_names, min_size=1, max_size=3),
    xml_text,
    xml_text,
)
def test_a_config_is_read_as_it_was_written(labels, fields, control, target):
    texts = "".join(
        f"<Text name={quoteattr(target if n == 0 else f'{target}-{n}')} value={quoteattr('$' + field)}/>"
        for n, field in enumerate(fields)
    )
    choices = "".join(f"<Choice value={quoteattr(label)}/>" for label in labels)
    # Label Studio takes the name of an object for a list of names
    assume("," not in target and target == target.strip())
    tag = f"<Choices name={quoteattr(control)} toName={quoteattr(target)}>{choices}</Choices>"
    config = parse_label_config(f"<View>{texts}{tag}</View>")
    assert (config.from_name, config.to_name) == (control, target)
    assert config.space.names == tuple(labels)
    assert config.text_fields == tuple(dict.fromkeys(fields))


@given(st.text() | st.text(alphabet="<>/=\"' aVView&;#x"))
def test_any_text_is_a_config_or_refused(xml):
    try:
        parse_label_config(xml)
    except (BadRequest, UnsupportedConfig) as error:
        assert error.message


@given(json_values)
def test_the_content_of_any_data_can_be_stored(data):
    content = task_content(data, CONFIG)
    assert content == content.strip()
    assert "\0" not in content and content.encode().decode() == content
    assert (content_hash(content) == "") == (content == "")


SHOWN = parse_label_config(
    '<View><Header value="$a"/><HyperText name="h" value="$b"/><Paragraphs name="p" value="$c"/>'
    '<Chat name="m" value="$d"/><Table name="t" value="$e"/><Choices name="topic" toName="h">'
    '<Choice value="A"/><Choice value="B"/></Choices></View>'
)
TURNS = st.dictionaries(st.sampled_from(["author", "text", "role", "content"]), json_values)


@given(st.dictionaries(st.sampled_from("abcde"), json_values | st.lists(TURNS, max_size=3)))
def test_whatever_is_shown_any_data_give_a_text_that_can_be_stored(data):
    content = task_content(data, SHOWN)
    assert content == content.strip()
    assert "\0" not in content and content.encode().decode() == content
    task = {"id": 1, "data": data, "updated_at": ""}
    assert (content == "") == (set(read_task(task, SHOWN).missing_fields) == set("abcde"))


@given(st.text(alphabet="<>/!-?&;#xab='\" \n[]") | st.text())
def test_any_text_is_html(html):
    assert html_text(html) == html_text(html).strip()


@given(st.lists(annotations, max_size=4))
def test_any_annotations_give_a_label_of_the_config_or_none(said):
    task = {"id": 1, "data": {"text": "x"}, "annotations": said, "updated_at": ""}
    state = read_task(task, CONFIG)
    assert state.label in {"A", "B", None}
    assert 0 <= state.annotations <= len(said)
    assert not (state.label and state.is_skipped)


@given(st.lists(st.sampled_from("AB"), max_size=9), st.randoms(use_true_random=False))
def test_the_order_of_the_annotations_does_not_matter(labels, random):
    said = [{"result": [{"from_name": "topic", "value": {"choices": [label]}}]} for label in labels]
    mixed = random.sample(said, len(said))
    task = {"id": 1, "data": {}, "updated_at": ""}
    first, second = (read_task(task | {"annotations": each}, CONFIG).label for each in (said, mixed))
    assert first == second
    assert (first is None) == (labels.count("A") == labels.count("B"))


@given(st.integers(0, 10**9), st.integers(5, 5000), st.floats(0, 1))
def test_scores_rise_with_the_position_and_the_window_is_before_every_live_answer(position, window, urgency):
    here, next_one = (window_score(place, window=window) for place in (position, position + 1))
    assert 0 <= here <= next_one < 0.5 <= live_score(urgency) <= 1
    if position < 100_000:
        assert here < next_one


@given(st.sampled_from(["A", "B"]), st.floats(allow_nan=False), st.floats(0, 1))
def test_what_is_rendered_is_valid_for_the_config(label, confidence, score):
    result = target_result(CONFIG.questions[0], (label,), confidence=confidence)
    assert is_valid_prediction({"result": result, "score": score}, XML)
    assert 0 <= result[0]["score"] <= 1


@given(st.lists(st.integers(0, 10**7), max_size=8), st.lists(st.text(), max_size=4), st.booleans())
def test_a_new_version_has_the_highest_number_of_all(numbers, others, by_name):
    known = [f"nl-{number:06d}" for number in numbers] + others
    new = version_number(next_version(known, by_name=by_name))
    assert new > max((version_number(name) or 0 for name in known), default=0)


@given(st.text(min_size=1))
def test_a_label_name_that_people_read_is_never_empty(title):
    assert readable_name(title)


@given(st.text() | st.tuples(st.text(), st.text(), st.text()).map(".".join))
def test_any_token_is_of_one_kind_or_the_other(token):
    assert token_kind(token) in {"legacy", "personal"}
