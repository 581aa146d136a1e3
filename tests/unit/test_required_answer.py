"""An answer is demanded only where an empty one is a slip, and where Label Studio heeds `required`."""

import io

import pytest
from rich.console import Console

from backend import report
from backend.label_studio.label_config import parse_label_config
from backend.workflows.connection.required_answer import check_required, why_free
from tests.topics import write_texts

TEXT = '<Text name="text" value="$text"/>'
SIDES = '<Text name="one" value="$text"/><Text name="two" value="$text2"/>'
PAIR = '<Pairwise name="better" toName="one,two"/>'
REQUIRED_PAIR = '<Pairwise name="better" toName="one,two" required="true"/>'
CHOICES = '<Choices name="topic" toName="text"{}><Choice value="a"/><Choice value="b"/></Choices>'
FREE = {
    "pairwise": f"<View>{SIDES}{PAIR}</View>",
    "a pairwise that is written required": f"<View>{SIDES}{REQUIRED_PAIR}</View>",
    "a lone tick": f'<View>{TEXT}<Choices name="spam" toName="text" choice="multiple">'
    '<Choice value="Spam"/></Choices></View>',
}
SLIPS = {
    "Choices": f"<View>{TEXT}{CHOICES.format('')}</View>",
    "Rating": f'<View>{TEXT}<Rating name="topic" toName="text"/></View>',
    "Number": f'<View>{TEXT}<Number name="topic" toName="text" min="1" max="9"/></View>',
    "Taxonomy": f'<View>{TEXT}<Taxonomy name="topic" toName="text"><Choice value="a"/><Choice value="b"/>'
    "</Taxonomy></View>",
}


def found(xml):
    return check_required({"label_config": xml, "id": 1}, parse_label_config(xml))


@pytest.mark.parametrize("xml", FREE.values(), ids=FREE)
def test_where_an_empty_answer_says_something_none_is_advised_or_promised(xml):
    said = found(xml)
    assert said.verdict == "ok" and said.cure == ""
    assert "nobody can submit" not in said.message
    assert why_free(parse_label_config(xml).questions[0]) == said.message


@pytest.mark.parametrize(("tag", "xml"), SLIPS.items(), ids=SLIPS)
def test_where_it_is_a_slip_the_words_name_the_tag(tag, xml):
    said = found(xml)
    assert said.verdict == "warning"
    assert said.message.startswith(f'<{tag}> "topic" is not required')
    assert f'Add required="true" to <{tag}> "topic"' in said.cure
    assert ("choice" in said.message) == (tag == "Choices")
    required = found(xml.replace('name="topic"', 'name="topic" required="true"'))
    assert (required.verdict, required.message) == (
        "ok",
        f'<{tag}> "topic" is required: nobody can submit an empty one',
    )


def test_of_several_choices_none_may_be_the_answer_so_nothing_is_advised():
    several = CHOICES.format(' choice="multiple"')
    said = found(f"<View>{TEXT}{several}</View>")
    assert (said.verdict, said.cure) == ("ok", "")
    assert "none of them" in said.message


def test_connect_requires_no_answer_to_a_pair_and_says_why(workbench, label_studio):
    label_studio.change_project(1, label_config=FREE["pairwise"])
    label_studio.add_tasks(1, [{"text": text, "text2": text} for text in write_texts(12, seed=3)])
    result = workbench.connect(require=True)
    assert "required" not in workbench.remote["label_config"]
    assert not any("required" in change for change in result.changes)
    stream = io.StringIO()
    report.print_connect(Console(file=stream, width=200), result)
    said = stream.getvalue()
    assert 'Not made required: <Pairwise> "better": an empty answer says “neither”' in said
    assert "an answer is required now" not in said
