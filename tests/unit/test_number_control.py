"""The control of numbers: what it renders can be typed where the config has bounds and steps."""

import pytest

from backend.label_studio.controls.table import control_of
from backend.label_studio.label_config import parse_label_config


def shown(number, attributes):
    config = f'<View><Text name="text" value="$text"/><Number name="n" toName="text" {attributes}/></View>'
    (question,) = parse_label_config(config).questions
    (region,) = control_of("number").render(question, (repr(number),), confidence=0.5)
    return region["value"]["number"]


@pytest.mark.parametrize(
    ("number", "attributes", "expected"),
    [
        (3.14, "", 3.14),
        (-0.2, 'min="0" max="10"', 0),
        (11.5, 'min="0" max="10"', 10),
        (3.14, 'step="0.5"', 3),
        (3.3, 'min="0.25" step="0.5"', 3.25),
        (9.9, 'min="0" max="10" step="4"', 8),
        (0.30000000000000004, 'step="0.1"', 0.3),
        (7.0, 'min="3" max="1"', 7),
        (7.5, 'min="low" max="nan" step="any"', 7.5),
        (7.5, 'step="0"', 7.5),
        (7.5, 'step="-1"', 7.5),
        (1e30, 'step="1e-320"', 1e30),
    ],
)
def test_a_number_is_moved_to_the_nearest_one_that_can_be_typed(number, attributes, expected):
    assert shown(number, attributes) == pytest.approx(expected, rel=1e-12)
