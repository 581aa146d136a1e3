"""Commands that only tell something import nothing that takes long: told by modules, not by seconds."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backend.context import Encoders
from backend.label_studio.label_config import parse_label_config
from backend.parts import build_context
from backend.workflows.connection.doctor import diagnose
from backend.workflows.loop import run_loop
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import open_workspace
from backend.workflows.serving.predict import predict_tasks
from model.encoders.folders import find_folder

ROOT = Path(__file__).resolve().parents[2]
SLOW = {
    *("torch", "transformers", "sklearn", "scipy", "matplotlib", "rapidfuzz"),
    *("alembic", "flask", "gunicorn", "huey", "redis", "httpx", "label_studio_ml"),
}
# What even a look into the database needs, and a page of help does not.
OF_DATA = {"numpy", "sqlalchemy", "pydantic_settings", "safetensors", "lxml", "regex"}
CODE = """
import json, runpy, sys
names = json.loads(sys.argv[1])
sys.argv = ["nextlabel", *sys.argv[2:]]
try:
    runpy.run_module("backend", run_name="__main__")
except SystemExit as end:
    print(json.dumps({"status": end.code, "loaded": [name for name in names if name in sys.modules]}))
"""


@pytest.fixture
def loaded_by(no_environment, tmp_path):
    """loaded_by("status", data=folder): exit status, and which of the slow modules the command imported."""

    def run(*arguments, data=tmp_path / "data"):
        done = subprocess.run(
            [sys.executable, "-c", CODE, json.dumps(sorted(SLOW | OF_DATA)), *arguments],
            env=os.environ | {"PYTHONPATH": str(ROOT), "DATA_DIR": str(data)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        return found["status"], set(found["loaded"])

    return run


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--help",), 0),
        (("--version",), 0),
        (("simulate", "labels", "--help"), 0),
        (("conect", "1"), 2),
        (("connect",), 2),
        (("connect", "one"), 2),
    ],
)
def test_help_and_misspellings_import_nothing_of_the_work(arguments, status, loaded_by):
    assert loaded_by(*arguments) == (status, set())


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("status",), 0),
        (("status", "1"), 0),
        (("versions", "1"), 0),
        (("rollback", "1", "nl-999999"), 1),
        (("classes", "list", "1"), 0),
    ],
)
def test_reading_imports_neither_networks_nor_learning(arguments, status, loaded_by, trained):
    ended, loaded = loaded_by(*arguments, data=trained.context.settings.data_dir)
    assert (ended, loaded & SLOW) == (status, set())


def without_loading(context, revision):
    """The same backend, whose encoders can say their revision and cannot be loaded."""

    def fail(name):
        raise AssertionError(f"the encoder {name!r} was loaded")

    return replace(context, encoders=Encoders(fail, default="", read_revision=lambda _name: revision))


def test_a_loop_with_nothing_to_do_loads_no_encoder(trained, encoder):
    context = without_loading(trained.context, encoder.revision)
    workspace = open_workspace(context, trained.project_id)
    assert run_loop(workspace, reason="test", progress=Silent()).outcome == "unchanged"


def test_tasks_with_vectors_are_answered_before_an_encoder_is_there(trained, encoder):
    tasks = [{"id": number, "data": task["data"]} for number, task in trained.tasks.items()]
    config = parse_label_config(trained.remote["label_config"])
    warm = predict_tasks(open_workspace(trained.context, trained.project_id), tasks, config)
    cold = open_workspace(without_loading(trained.context, encoder.revision), trained.project_id)
    assert predict_tasks(cold, tasks, config) == warm
    assert any(prediction["result"] for prediction in warm)
    with pytest.raises(AssertionError, match="was loaded"):
        predict_tasks(cold, [*tasks, {"id": 9_999, "data": {"text": "a text that nobody has seen"}}], config)


def test_doctor_loads_no_encoder_and_still_names_it(trained, encoder):
    found = diagnose(without_loading(trained.context, encoder.revision), trained.project_id)
    (named,) = [finding for finding in found if finding.check == "encoder"]
    assert (named.verdict, named.message) == ("ok", f"there: {encoder.revision}")
    assert "language" in {finding.check for finding in found}


def test_the_revision_that_is_read_off_the_files_is_that_of_the_loaded_encoder(make_settings, text_encoder):
    assert find_folder().revision == text_encoder.revision
    context = build_context(make_settings())
    assert context.encoder.revision == text_encoder.revision
