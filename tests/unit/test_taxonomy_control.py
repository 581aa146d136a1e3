"""Taxonomies: which nodes there are, what is read, what people say together, and what is written."""

import pytest

from backend.errors import UnsupportedConfig
from backend.label_studio.controls.table import control_of
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task
from tests.fake_label_studio import is_valid_prediction

TREE = (
    '<Choice value="Fruit" alias="f">'
    '<Choice value="Apple / pear" alias="a/p"/><Choice value="Plum"/></Choice>'
    '<Choice value="Bread"><Choice value="Rye"><Choice value="Dark"/></Choice></Choice><Choice value="Plum"/>'
)
CONTROL = control_of("taxonomy")


def question_of(attributes="", tree=TREE, tag="Taxonomy"):
    text = '<Text name="text" value="$text"/>'
    xml = f'<View>{text}<{tag} name="buys" toName="text" {attributes}>{tree}</{tag}></View>'
    return parse_label_config(xml).questions[0]


def refused(attributes="", tree=TREE, tag="Taxonomy"):
    with pytest.raises(UnsupportedConfig) as caught:
        question_of(attributes, tree, tag)
    return caught.value.message


def said(*paths, key="taxonomy"):
    return {"from_name": "buys", "value": {key: [*paths]}}


def test_every_node_is_a_label_named_by_its_path():
    labels = {label.name: label.title for label in question_of().labels}
    assert labels == {
        "f": "Fruit",
        r"f/a\/p": "Fruit > Apple / pear",
        "f/Plum": "Fruit > Plum",
        "Bread": "Bread",
        "Bread/Rye": "Bread > Rye",
        "Bread/Rye/Dark": "Bread > Rye > Dark",
        "Plum": "Plum",
    }


@pytest.mark.parametrize(
    ("regions", "target"),
    [
        ([said(["f", "a/p"])], (r"f/a\/p",)),
        ([said(["Fruit", "Apple / pear"])], (r"f/a\/p",)),
        ([said(["fruit", "plum"])], ("f/Plum",)),
        ([said(["Bread"], ["Bread", "Rye"], ["f"])], ("f", "Bread/Rye")),
        ([said(["Plum"]), said(["f"])], ("f", "Plum")),
        ([said("Bread", "Rye")], ("Bread/Rye",)),
        ([said("Dark", "Apple / pear")], (r"f/a\/p", "Bread/Rye/Dark")),
        ([said("Plum")], ("Plum",)),
        ([said(["Bread", "Rye"], key="choices")], ("Bread/Rye",)),
        ([said(["Bread", "gone"])], None),
        ([said(["Bread", "Dark"])], None),
        ([said([], ["f", 1], 3)], None),
        ([said()], None),
        ([{"value": None}, {}, {"value": {"taxonomy": "Bread"}}], None),
    ],
)
def test_paths_are_read_by_aliases_and_by_values(regions, target):
    assert CONTROL.read(regions, question_of()) == target


@pytest.mark.parametrize(
    ("said_by_each", "target"),
    [
        ([("f/Plum",)], ("f/Plum",)),
        ([("f/Plum",), (r"f/a\/p",)], ("f",)),
        ([("Bread/Rye/Dark",), ("Bread/Rye", "f"), ("Bread", "f/Plum")], ("f", "Bread/Rye")),
        ([("f",), ("Bread",)], None),
        ([(), (), ("f",)], ()),
    ],
)
def test_a_node_counts_if_more_than_half_go_through_it(said_by_each, target):
    assert CONTROL.merge(said_by_each, question_of()) == target


def test_whole_paths_stand_in_one_region():
    (region,) = CONTROL.render(question_of(), ("Bread/Rye", r"f/a\/p"), confidence=0.5)
    assert region["type"] == "taxonomy"
    assert region["value"] == {"taxonomy": [["f", "a/p"], ["Bread", "Rye"]]}
    assert CONTROL.render(question_of(), (), confidence=0.5) == []


def test_only_what_people_can_give_is_written():
    (region,) = CONTROL.render(question_of('leafsOnly="true"'), ("Plum", "Bread/Rye"), confidence=0.5)
    assert region["value"] == {"taxonomy": [["Plum"]]}
    (region,) = CONTROL.render(question_of('maxUsages="1"'), ("Plum", "Bread/Rye"), confidence=0.5)
    assert region["value"] == {"taxonomy": [["Bread", "Rye"]]}
    assert CONTROL.render(question_of('leafsOnly="true"'), ("Bread/Rye",), confidence=0.5) == []


@pytest.mark.parametrize("form", ["", 'choice="multiple"'])
def test_choices_with_levels_are_read_and_never_written(form):
    question = question_of(f'allowNested="true" {form}', tag="Choices")
    assert question.kind == "taxonomy"
    assert CONTROL.read([said(["f", "Plum"], key="choices")], question) == ("f/Plum",)
    assert CONTROL.render(question, ("f/Plum",), confidence=0.5) == []


@pytest.mark.parametrize(("form", "kind"), [("", "single choice"), ('choice="multiple"', "several choices")])
def test_choices_that_show_one_level_have_one(form, kind):
    question = question_of(form, tag="Choices")
    assert (question.kind, [label.name for label in question.labels]) == (kind, ["f", "Bread", "Plum"])


@pytest.mark.parametrize(
    ("attributes", "tree", "named"),
    [
        ('apiUrl="https://e.org/t"', "", 'takes its labels from an address (apiUrl="https://e.org/t")'),
        ('value="$tree"', "", 'takes its labels from each task (value="$tree")'),
        ('perRegion="true"', TREE, 'has perRegion="true"'),
        ('labeling="true"', TREE, 'has labeling="true"'),
        (
            "",
            '<Choice value="a"><Choice value="$b"/></Choice>',
            'takes a label from each task (<Choice value="$b">',
        ),
        ("", "", "has no <Choice>"),
        ("", '<Choice value="a"/>', "has a single <Choice>"),
    ],
)
def test_what_is_in_the_way_is_named(attributes, tree, named):
    assert f'<Taxonomy> "buys" {named}' in refused(attributes, tree)


def test_an_annotation_is_told_by_its_deepest_nodes():
    config = parse_label_config(
        f'<View><Text name="text" value="$text"/><Taxonomy name="buys" toName="text">{TREE}</Taxonomy></View>'
    )
    task = {"id": 1, "data": {"text": "x"}, "annotations": [{"result": [said(["f", "Plum"], ["f"])]}]}
    assert read_task(task, config).targets == {"buys": ("f/Plum",)}


def test_a_view_between_choices_is_no_level():
    shown = '<View><Choice value="a"><View><Choice value="b"/></View></Choice></View>'
    tree = f'{shown}<Choice><Choice value="c"/></Choice>'
    question = question_of('allowNested="true"', tree, "Choices")
    assert [label.name for label in question.labels] == ["a", "a/b"]


def test_label_studio_keeps_what_is_written_and_drops_paths_in_choices():
    control = f'<Taxonomy name="buys" toName="text">{TREE}</Taxonomy>'
    xml = f'<View><Text name="text" value="$text"/>{control}</View>'
    regions = CONTROL.render(question_of(), ("f/Plum", r"f/a\/p", "Bread/Rye/Dark"), confidence=0.5)
    assert is_valid_prediction({"result": regions, "score": 0.5}, xml)
    paths = [said(["f", "Plum"], key="choices") | {"to_name": "text", "type": "choices"}]
    nested = xml.replace("<Taxonomy", '<Choices allowNested="true"').replace("</Taxonomy", "</Choices")
    assert not is_valid_prediction({"result": paths, "score": 0.5}, nested)
