"""A class keeps its colour, and people with any colour vision tell the first ten apart, on light and dark."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.workflows.project.colours import keep_colours, number_classes
from backend.workflows.views.dashboard.points import map_points

STATIC = Path(__file__).resolve().parents[2] / "backend" / "static"
NAMES = st.lists(st.text(min_size=1, max_size=4), max_size=8)
PAPER = dict(
    zip(
        ("light", "dark"),
        re.findall(r"--paper: (#\w+);", (STATIC / "dashboard.css").read_text()),
        strict=True,
    )
)
# What protanopes, deuteranopes and tritanopes see, in linear RGB (Machado, Oliveira and Fernandes, 2009).
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
LEAST_CONTRAST = 3.0  # WCAG 1.4.11, for what is no text
LEAST_DIFFERENCE = 0.06  # in OKLab; two neighbours of a scale of sixteen greys differ as much
LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(hex_colour):
    values = np.array([int(hex_colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(hex_colour):
    return float(linear(hex_colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def seen_as(hex_colour, vision):
    seen = np.clip(np.array(VISIONS[vision]) @ linear(hex_colour), 0, 1)
    return LAB @ np.cbrt(LMS @ seen)


def palette(scheme):
    css = (STATIC / "map.css").read_text()
    light, dark = css.split("prefers-color-scheme: dark")
    return re.findall(r"--class-\d: (#\w+);", light if scheme == "light" else dark)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ten_colours_stand_out_from_the_paper(scheme):
    colours = palette(scheme)
    assert len(colours) == 10
    assert min(contrast(colour, PAPER[scheme]) for colour in colours) >= LEAST_CONTRAST


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_ten_colours_are_told_apart_with_any_colour_vision(scheme, vision):
    seen = [seen_as(colour, vision) for colour in palette(scheme)]
    nearest = min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2))
    assert nearest >= LEAST_DIFFERENCE


@given(first=NAMES, later=NAMES)
def test_whatever_comes_later_no_class_changes_its_number(first, later):
    before = number_classes({}, first)
    after = number_classes(before, later)
    assert {name: after[name] for name in before} == before
    assert len(set(after.values())) == len(after) == len({*first, *later})


@given(names=NAMES, again=NAMES)
def test_a_class_that_went_finds_its_number_again(names, again):
    before = number_classes({}, names)
    assert number_classes(number_classes(before, []), [*again, *names]) == number_classes(before, again)


def test_labels_and_predictions_have_one_colour_by_class_which_a_new_class_does_not_move(trained):
    first = {row["name"]: row["colour"] for row in map_points(trained.workspace)["classes"]}
    assert first == {"cats": 0, "dogs": 1}
    config = trained.remote["label_config"].replace("<Choice ", '<Choice value="ants"/><Choice ', 1)
    trained.label_studio.change_project(trained.project_id, label_config=config)
    trained.label(6)
    trained.loop()
    later = {row["name"]: row["colour"] for row in map_points(trained.workspace)["classes"]}
    assert {name: later[name] for name in first} == first
    assert trained.project.colours == {"cats": 0, "dogs": 1, "ants": 2}


def test_a_label_that_the_config_lost_keeps_its_colour(trained):
    keep_colours(trained.workspace, ["birds"])
    assert trained.project.colours == {"cats": 0, "dogs": 1, "birds": 2}


def test_answered_numbers_have_no_colours_of_their_own(workbench, label_studio):
    days = '<View><Text name="text" value="$text"/><Number name="days" toName="text"/></View>'
    label_studio.change_project(workbench.project_id, label_config=days)
    workbench.connect()
    for place, task_id in enumerate(workbench.window[:8]):
        value = {"from_name": "days", "to_name": "text", "type": "number", "value": {"number": 1.5 + place}}
        label_studio.submit(task_id, [value])
    workbench.loop()
    assert workbench.project.colours == {}
    assert map_points(workbench.workspace)["classes"]
