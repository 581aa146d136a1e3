"""Label Studio's own judge of configs and results, over the gallery and over every kind of question."""

import json
import subprocess
from pathlib import Path

import pytest

from backend.errors import UnsupportedConfig
from backend.label_studio.controls.table import control_of
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.results import prediction
from tests.contract.test_task_types import CASES
from tests.gallery import GALLERY

LABEL_STUDIO_PYTHON = Path(__file__).resolve().parents[2] / ".venv-label-studio" / "bin" / "python"
JUDGE = """
import json, sys
from label_studio_sdk.label_interface import LabelInterface
for line in sys.stdin:
    given = json.loads(line)
    interface = LabelInterface(given["config"])
    said = [interface.validate_prediction(one, return_errors=True) for one in given["predictions"]]
    print(json.dumps(said))
"""


def judge(asked):
    """What Label Studio says against each prediction of each config: [config][prediction][sentence]."""
    lines = [json.dumps({"config": config, "predictions": predictions}) for config, predictions in asked]
    done = subprocess.run(
        [LABEL_STUDIO_PYTHON, "-c", JUDGE],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def some_targets(question):
    """The first and the last label of a question, and all together; of a number a number."""
    if question.kind == "number":
        return [("3.5",), ("-2",), ("400",)]
    names = [label.name for label in question.labels]
    return [(names[0],), (names[-1],), *([tuple(names)] if question.kind == "several choices" else [])]


def rendered(question):
    control = control_of(question.kind)
    results = [control.render(question, target, confidence=0.6) for target in some_targets(question)]
    return [prediction(result, version="nl-000001", score=0.5) for result in results if result]


def all_rendered(config):
    try:
        questions = parse_label_config(config).questions
    except UnsupportedConfig:
        return []
    return [one for question in questions for one in rendered(question)]


def bend(predictions):
    """The same results with values of no shape that any control has."""
    bent = json.loads(json.dumps(predictions))
    for one in bent:
        for region in one["result"]:
            region["value"] = {"nothing": 1}
    return bent


CONFIGS = GALLERY | {kind: case.config for kind, case in CASES.items()}


@pytest.fixture(scope="module")
def judged():
    """What is said against our predictions for each config, and against the same ones bent."""
    asked = {name: all_rendered(config) for name, config in CONFIGS.items()}
    right = judge([(CONFIGS[name], predictions) for name, predictions in asked.items()])
    wrong = judge([(CONFIGS[name], bend(predictions)) for name, predictions in asked.items()])
    return {name: (asked[name], *said) for name, *said in zip(asked, right, wrong, strict=True)}


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_rendered_is_valid_and_nothing_else_is(judged, name):
    predictions, right, wrong = judged[name]
    assert right == [[] for _ in predictions]
    assert all(wrong) and len(wrong) == len(predictions)


def test_every_kind_is_judged(judged):
    assert all(judged[kind][0] for kind in CASES)
