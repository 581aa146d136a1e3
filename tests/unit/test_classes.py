"""Groups of novel tasks: one becomes a label with one command, another is called no class."""

import pytest
from sqlalchemy import select

from backend.database import Decision, NovelGroup
from backend.errors import BadRequest, NotFound
from backend.label_studio.label_config import add_label, add_note, parse_label_config, remove_note
from backend.workflows.findings.classes import add_class, put_label, reject_group
from backend.workflows.intake.earlier_findings import list_groups

CONFIG = """<View>
  <!-- the team's own words -->
  <Text name="text" value="$text"/>
  <Choices name="topic" toName="text" choice="single">
    <Choice value="Cats" alias="cats" hotkey="1"/>
    <Choice value="Dogs" alias="dogs" background="red"/>
  </Choices>
</View>"""


@pytest.fixture
def group(context, connected):
    """Group 3 of the project: tasks that wait outside the window."""
    members = [task_id for task_id in connected.tasks if task_id not in connected.window][:6]
    add_group(context, connected, members, number=3, name="birds", rank=1)
    return members


def add_group(context, connected, members, *, number, name, rank):
    with context.database.session() as session:
        session.add(
            NovelGroup(
                project_id=connected.project.id,
                number=number,
                name=name,
                members=members,
                typical=members[:3],
                figures={"rank": rank},
                version=connected.version,
            )
        )


def decisions(context):
    with context.database.session() as session:
        return [(row.kind, row.decided_by, row.details) for row in session.scalars(select(Decision))]


def labels_of(bench):
    return [label.name for label in parse_label_config(bench.remote["label_config"]).labels]


def test_a_new_label_leaves_aliases_hotkeys_styles_and_comments_as_they_are():
    changed = add_label(CONFIG, "Birds & co")
    lines = changed.splitlines()
    assert [line for line in lines if "Birds" not in line] == CONFIG.splitlines()
    assert parse_label_config(changed).space.names == ("cats", "dogs", "Birds & co")


@pytest.mark.parametrize("name", ["cats", "CATS", "Dogs", "Dog", " cat ", "C ats", "do-gs"])
def test_a_label_that_is_there_is_not_added_again_under_nearly_its_name(name):
    with pytest.raises(BadRequest, match="already"):
        add_label(CONFIG, name)


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ("Party", "parties"),
        ("Ice hockey", "icehockey"),
        ("Boxes", "box"),
        ("Glass", "glasses"),
        ("ÄPFEL", "äpfel"),
    ],
)
def test_case_blanks_and_plurals_tell_no_label_from_another(there, name):
    with pytest.raises(BadRequest, match=there):
        add_label(CONFIG.replace("Cats", there), name)


@pytest.mark.parametrize(
    ("there", "name"),
    [("C", "C++"), ("Plans", "Planes"), ("Glas", "Glass"), ("Status", "Statu"), ("A1", "A2")],
)
def test_other_names_make_another_label(there, name):
    assert name in parse_label_config(add_label(CONFIG.replace("Cats", there), name)).space.names


def test_a_label_needs_a_name():
    with pytest.raises(BadRequest, match="cannot be empty"):
        add_label(CONFIG, "  ")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a\x00b", "no labeling config can hold"),
        ("\ufffe", "no labeling config can hold"),
        ("x" * 501, "501 letters"),
        ("costs $5", "as a label"),
        ("$text", "as a label"),
    ],
)
def test_a_name_that_cannot_be_a_label_is_refused_before_anything_is_written(name, words, connected):
    before = connected.remote["label_config"]
    with pytest.raises(BadRequest, match=words):
        put_label(connected.workspace, name)
    assert connected.remote["label_config"] == before


def test_the_line_that_explains_is_added_once_and_removed_without_a_trace():
    once = add_note(CONFIG)
    assert '<Header value="$nextlabel_note" size="5"/>' in once
    assert add_note(once) is None
    assert parse_label_config(once).text_fields == ("text",)
    assert (remove_note(once), remove_note(CONFIG)) == (CONFIG, None)


def test_connect_explains_only_when_asked(workbench):
    workbench.connect()
    assert "nextlabel_note" not in workbench.remote["label_config"]
    workbench.connect(explain=True)
    assert "nextlabel_note" in workbench.remote["label_config"]


def test_a_group_becomes_a_label_and_its_tasks_come_first_with_it(context, connected, group):
    assert add_class(connected.workspace, 3, name=None, by="ada") == "birds"
    assert labels_of(connected) == ["cats", "dogs", "birds"]
    assert connected.loop().outcome == "published"
    lane = [task_id for task_id in connected.window if task_id in group]
    assert lane == group[: len(lane)] and lane
    assert connected.result_of(lane[0])[0]["value"]["choices"] == ["birds"]


def test_of_groups_that_nobody_decided_about_one_task_each_comes_first(context, connected, group):
    others = [task_id for task_id in connected.tasks if task_id not in {*connected.window, *group}][:4]
    add_group(context, connected, others, number=4, name="fish", rank=2)
    connected.connect(novelty_share=0.5)
    connected.loop()
    lane = [task_id for task_id in connected.window if task_id in {*group, *others}]
    assert lane[:4] == [group[0], others[0], group[1], group[2]]


def test_what_somebody_changed_in_the_config_meanwhile_is_kept(context, connected, group):
    connected.label_studio.change_project(
        connected.project_id, label_config=add_label(connected.remote["label_config"], "fish")
    )
    add_class(connected.workspace, 3, name="parrots", by="ada")
    assert labels_of(connected) == ["cats", "dogs", "fish", "parrots"]


def test_who_decided_is_written_down(context, connected, group):
    add_class(connected.workspace, 3, name="parrots", by="ada")
    assert decisions(context) == [("group-added", "ada", {"group": 3, "label": "parrots", "members": 6})]


def test_a_rejected_group_is_listed_no_more_and_changes_no_label(context, connected, group):
    assert [row["group"] for row in list_groups(connected.workspace)] == [3]
    reject_group(connected.workspace, 3, by="ada")
    assert list_groups(connected.workspace) == []
    assert labels_of(connected) == ["cats", "dogs"]
    assert decisions(context)[0][0] == "group-rejected"


def test_a_group_is_decided_once(context, connected, group):
    reject_group(connected.workspace, 3, by="ada")
    with pytest.raises(BadRequest, match="Group 3 was rejected before"):
        add_class(connected.workspace, 3, name=None, by="ada")


def test_an_unknown_group_is_named_with_the_cure(context, connected, group):
    with pytest.raises(NotFound, match="no group 9"):
        reject_group(connected.workspace, 9, by="ada")


def test_after_enough_labels_a_new_class_is_one_like_the_others(context, connected, group):
    add_class(connected.workspace, 3, name="birds", by="ada")
    for task_id in group[:5]:
        connected.label_studio.annotate(task_id, "birds")
    connected.loop()
    assert connected.result_of(connected.window[0]) is not None
    with context.database.session() as session:
        assert session.scalar(select(NovelGroup.state)) == "added"
    assert group[5] not in connected.window[:1]
