"""The README says what the code has: settings, commands and strategies."""

import re
from pathlib import Path

import pytest
import typer

from backend.cli import app
from backend.settings import ProjectSettings, Settings
from model.strategies import STRATEGIES

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = typer.main.get_command(app).commands


def read_table(heading):
    """The rows of the table under a heading of the README: cells by the name in the first one."""
    readme = (ROOT / "README.md").read_text()
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    assert section, f"README.md has no heading ## {heading}"
    rows = [line.strip().strip("|").split("|") for line in section[1].splitlines() if line.startswith("| `")]
    return {
        re.match(r"`([^` ]+)", cells[0].strip())[1]: [cell.strip() for cell in cells[1:]] for cells in rows
    }


def assert_same(documented, existing, what):
    missing, surplus = set(existing) - set(documented), set(documented) - set(existing)
    assert not missing, f"README.md lacks these {what}: {sorted(missing)}"
    assert not surplus, f"README.md has {what} that do not exist: {sorted(surplus)}"


def shown(value):
    """A default as the README writes it."""
    plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    return f"`{plain}`" if plain not in ("", None) else ""


def test_every_setting_is_in_the_readme():
    assert_same(read_table("Settings"), [name.upper() for name in Settings.model_fields], "settings")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_settings_are_described_as_in_the_code(name):
    default, meaning = read_table("Settings")[name.upper()]
    field = Settings.model_fields[name]
    assert meaning == field.description
    assert default == shown(field.default)


def test_every_command_is_in_the_readme():
    assert_same(read_table("Commands"), COMMANDS, "commands")


def test_every_strategy_is_in_the_readme():
    assert_same(read_table("Strategies"), STRATEGIES, "strategies")


def test_connect_names_every_setting_that_can_differ_by_project():
    (option,) = (param for param in COMMANDS["connect"].params if "--set" in param.opts)
    assert all(name in option.help for name in ProjectSettings.model_fields)


def test_every_command_that_the_documents_name_exists():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for page in pages:
        text = page.read_text()
        for command in re.findall(r"python -m backend ([a-z]+)", text):
            assert command in COMMANDS, f"{page.name} names the command {command}"


def test_every_command_and_flag_that_the_backend_tells_people_to_run_exists():
    sources = [path.read_text() for path in (ROOT / "backend").rglob("*.py")]
    named = {command for text in sources for command in re.findall(r"python -m backend ([a-z]+)", text)}
    assert named and named <= set(COMMANDS)


def test_every_link_in_the_documents_leads_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
