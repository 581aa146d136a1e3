"""Names of projects, labels and groups: never markup, in no encoding, and never orders to the terminal."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from backend import report
from backend.terminal import TerminalProgress, plain
from backend.workflows.connection.finding import Finding
from tests.topics import write_texts
from tests.unit.test_classes import add_group
from tests.workbench import Workbench

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["Cats [/new]", "[bold]Cats[/bold]", "[/]", "Cats :smile: [link=x]", "[red", "\\[cats]", "猫 [/red]"]
IN_ASCII = """
from rich.console import Console
from backend import report
from backend.terminal import print_whatever_the_encoding
from backend.workflows.connection.finding import Finding
print_whatever_the_encoding()
report.print_findings(Console(width=60), [Finding("names", "ok", "\\u732b [/] \\U0001f600 \\udc80")])
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_project_is_called_what_it_is_called(name, context, app, label_studio, run_command):
    number = label_studio.add_project(texts=write_texts(20), title=name)
    Workbench(context, label_studio, number).connect()
    for arguments in (["status", "1"], ["status"], ["connect", "1"]):
        result = run_command(context, *arguments)
        assert result.exit_code == 0 and name in result.output


@pytest.mark.parametrize("name", NAMES[:3])
def test_a_class_can_have_any_name(name, connected, context, run_command):
    add_group(context, connected, [1, 2, 3, 4, 5], number=3, name=name, rank=1)
    listed = run_command(context, "classes", "list", "1")
    assert listed.exit_code == 0 and name in listed.output
    added = run_command(context, "classes", "add", "1", "3", "--name", name)
    assert added.exit_code == 0 and name in added.output


@pytest.mark.parametrize("name", NAMES)
def test_an_error_names_what_it_is_about(name, context, run_command):
    result = run_command(context, "connect", "1", "--set", name)
    assert result.exit_code == 1 and f"--set {name}: expected" in result.output


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u2028", "\u0085"])
def test_no_name_turns_the_rest_of_its_line_or_begins_another(mark):
    code = mark.encode("unicode_escape").decode()
    assert plain(f"cats{mark}dogs").plain == f"cats{code}dogs"


@pytest.mark.parametrize("name", ["کتاب\u200cها", "👩\u200d🚀", "עברית", "क्\u200dष"])
def test_joiners_and_scripts_from_right_to_left_are_letters_like_others(name):
    assert plain(name).plain == name


def test_control_characters_are_shown_and_not_obeyed():
    assert plain("a\x1b[2Jb\rc\x07").plain == "a\\x1b[2Jb\\rc\\x07"
    assert plain("two\nlines\tof Persian: می‌خواهم").plain == "two\nlines\tof Persian: می‌خواهم"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_stage_can_have_any_name(is_terminal):
    stream = io.StringIO()
    with TerminalProgress(Console(file=stream, force_terminal=is_terminal, width=120)) as progress:
        progress.stage("judging [/cats]", total=3)
        progress.advance(1)
    assert "judging [/cats]" in stream.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_no_encoding_of_a_terminal_fails(encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "LANG": "C", "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-c", IN_ASCII], cwd=ROOT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"[/]" in done.stdout and b"\\udc80" in done.stdout


def test_a_cure_with_brackets_is_printed_whole():
    stream = io.StringIO()
    finding = Finding("config", "fault", "[/x] is no label", "Write [bold] as [b]")
    report.print_findings(Console(file=stream, width=120), [finding])
    assert "[/x] is no label" in stream.getvalue() and "Write [bold] as [b]" in stream.getvalue()
