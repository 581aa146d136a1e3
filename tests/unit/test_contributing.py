"""CONTRIBUTING.md as a newcomer reads it: its steps are taken on a copy of the repository, its tests run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
FENCE = r"\n\n```(?:python)?\n(?P<code>.*?)```\n"
NEW_FILE = re.compile(r"^New file `(?P<path>[^`]+)`:" + FENCE, re.MULTILINE | re.DOTALL)
NEW_LINES = re.compile(
    r"^In `(?P<path>[^`]+)`, after the line (?P<begins>that begins with )?"
    r"(?P<ticks>`+)(?P<line>[^\n]+?)(?P=ticks):" + FENCE,
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\.venv/bin/pytest (.+)$", re.MULTILINE)
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "data")


def read_section(heading):
    found = re.search(rf"^## {heading}$(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"CONTRIBUTING.md has no heading ## {heading}"
    return found[1]


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT, tmp_path / "copy", ignore=NOT_COPIED)
    return tmp_path / "copy"


def take_the_steps(section, folder):
    """Write the files and lines that a section asks for; returns the paths of the code."""
    steps = list(NEW_FILE.finditer(section)) + list(NEW_LINES.finditer(section))
    assert section.count("```") == 2 * (len(steps) + 1), "a step is not in the form that this test can take"
    for step in steps:
        path, code = folder / step["path"], step["code"]
        if "line" in step.groupdict():
            code = add_lines(path.read_text(), after=step["line"], is_start=bool(step["begins"]), code=code)
        path.write_text(code)
    return sorted({step["path"] for step in steps if step["path"].endswith(".py")})


def add_lines(text, *, after, is_start, code):
    lines = text.splitlines(keepends=True)
    (place,) = [
        number
        for number, line in enumerate(lines)
        if (line.startswith(after) if is_start else line == f"{after}\n")
    ]
    return "".join([*lines[: place + 1], code, *lines[place + 1 :]])


def run(folder, *command):
    """What a command prints; it must succeed."""
    alone = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHONPATH"))
    }
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=alone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("heading", "name"), [("Add a strategy", "confidence-ratio"), ("Add an encoder", "trigrams")]
)
def test_the_steps_lead_to_a_new_member_that_keeps_the_contract(copy, heading, name):
    said = follow(read_section(heading), copy)
    assert said[0].count(f"[{name}] PASSED") > 5


def test_the_steps_lead_to_a_figure_that_a_loop_measures_and_the_page_shows(copy):
    said = follow(read_section("Add a figure to the page"), copy)
    assert "1 passed" in said[0]
    assert "test_every_field_is_written_by_a_loop PASSED" in said[1]


def test_the_steps_lead_to_a_kind_of_question_that_keeps_the_contract(copy):
    said = follow(read_section("Add a kind of question"), copy)
    assert len(re.findall(r"\[\S*year\S*\] PASSED", said[0])) > 12


def follow(section, folder):
    """Takes the steps of a section, and runs its commands; returns what they print."""
    paths = take_the_steps(section, folder)
    run(folder, "ruff", "check", *paths)
    run(folder, "ruff", "format", "--check", *paths)
    commands = COMMAND.findall(section)
    return [run(folder, "pytest", "-v", "-p", "no:cacheprovider", *command.split()) for command in commands]


def test_every_path_that_it_names_exists():
    made = {step["path"] for step in NEW_FILE.finditer(TEXT)}
    named = set(re.findall(r"\b(?:tests|model|backend|demo|benchmarks|docs)/[\w/.-]*\w", TEXT)) - made
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_command_for_some_tests_finds_tests_that_are_fast():
    paths = {word for line in re.findall(r"\.venv/bin/pytest ([^`\n]+)", TEXT) for word in line.split()}
    tests = {path for path in paths if path.startswith("tests/")}
    assert tests and not any(
        path.startswith(("tests/e2e", "tests/browser", "tests/replicas")) for path in tests
    )
