"""The README says what the code has: settings, commands and strategies."""

import re
from pathlib import Path

import pytest
import typer

from backend.cli import app
from backend.label_studio.tabs import TITLES
from backend.settings import ProjectSettings, Settings
from model.records import LANES, REPRESENTATIONS
from model.strategies import STRATEGIES

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = typer.main.get_command(app).commands
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "benchmarks" / "README.md",
]
COMMAND = re.compile(r"(?:python -m backend|(?<!\")\bnextlabel) ([a-z]+)")
FOLDERS = ("backend", "model", "demo", "benchmarks", "tests", "docs")


def read_section(heading, *, page=ROOT / "README.md"):
    """What stands under a heading of a document, up to the next one that is not below it."""
    level = heading.split(" ")[0]
    found = re.search(rf"^{heading}$(.*?)(?=^#{{2,{len(level)}}} |\Z)", page.read_text(), re.M | re.S)
    assert found, f"{page.name} has no heading {heading}"
    return found[1]


def read_table(heading):
    """The rows of the tables under a heading of the README: cells by the name in the first one."""
    rows = [
        line.strip().strip("|").split("|")
        for line in read_section(heading).splitlines()
        if line.startswith("| `")
    ]
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
    assert_same(read_table("## Settings"), [name.upper() for name in Settings.model_fields], "settings")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_settings_are_described_as_in_the_code(name):
    default, meaning = read_table("## Settings")[name.upper()]
    field = Settings.model_fields[name]
    assert meaning == field.description
    assert default == shown(field.default)


def test_the_readme_marks_the_settings_that_can_differ_by_project():
    assert_same(
        read_table("### Of a project"), [name.upper() for name in ProjectSettings.model_fields], "settings"
    )


def test_every_command_is_in_the_readme():
    assert_same(read_table("## Commands"), COMMANDS, "commands")


def test_every_strategy_is_in_the_readme():
    assert_same(read_table("## Strategies"), STRATEGIES, "strategies")


def test_every_command_that_the_documents_name_exists():
    for page in PAGES:
        text = page.read_text()
        for command in COMMAND.findall(text):
            assert command in COMMANDS, f"{page.name} names the command {command}"


def test_every_command_and_flag_that_the_backend_tells_people_to_run_exists():
    sources = [path.read_text() for path in (ROOT / "backend").rglob("*.py")]
    named = {command for text in sources for command in COMMAND.findall(text)}
    assert named and named <= set(COMMANDS)


def test_every_bench_that_a_document_names_exists():
    named = {name for page in PAGES for name in re.findall(r"\bbench_[a-z_]+\b", page.read_text())}
    missing = [name for name in named - {"bench_x"} if not (ROOT / "benchmarks" / f"{name}.py").is_file()]
    assert named and missing == []


def test_the_readme_shows_ten_figures_that_stand_on_the_page_of_all_figures():
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `bench_\w+` \|$", read_section("## Figures"), re.MULTILINE)
    assert len(rows) == 10
    page = (ROOT / "docs" / "figures.md").read_text()
    for what, measured in rows:
        numbers = re.findall(r"\d*\.?\d+", measured)
        assert numbers and all(re.search(rf"(?<![\d.]){re.escape(n)}(?![\d])", page) for n in numbers), what


def test_the_page_of_figures_says_of_every_table_on_which_day_it_was_measured():
    page = read_section("## When each was measured", page=ROOT / "docs" / "figures.md")
    said = {
        name: day
        for day, names in re.findall(r"^\| (\d{4}-\d\d-\d\d) \| (.+) \|$", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    results = (ROOT / "benchmarks" / "results").glob("*.md")
    assert said == {
        path.stem: re.search(r"^- date: (\d{4}-\d\d-\d\d)T", path.read_text(), re.MULTILINE)[1]
        for path in results
    }


def test_every_page_for_people_and_machines_is_in_the_readme(app):
    section = read_section("## HTTP")
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and rule.endpoint != "static"]
    ends = {str(rule).rsplit("/", 1)[-1].replace("<int:project_id>", "ID") for rule in rules}
    assert len(ends) > 8
    assert [end for end in sorted(ends) if end not in section] == []


def test_the_index_of_decisions_has_every_decision_under_its_own_title():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    listed = re.findall(r"^- \[(\d{4})\]\(([^)]+)\): (.+)$", index, re.MULTILINE)
    titles = [
        (path.name[:4], path.name, path.read_text().split("\n")[0].split(" · ", 1)[1])
        for path in sorted(folder.glob("0*.md"))
    ]
    assert listed == titles


def test_the_glossary_explains_every_lane_flag_and_representation():
    words = set(re.findall(r"[\w-]+", (ROOT / "docs" / "glossary.md").read_text()))
    assert {*LANES, *TITLES, *REPRESENTATIONS} <= words


def _anchors(page):
    """The names by which the headings of a page are linked to."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.S), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_in_a_document_leads_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", page.read_text()):
        if target.startswith("http"):
            continue
        there = page.parent / target if target else page
        assert there.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in _anchors(there), f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_folder_that_a_document_names_exists(page):
    text = page.read_text()
    made_by_its_steps = set(re.findall(r"^New file `([^`]+)`:", text, re.MULTILINE))
    named = re.findall(
        rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*|\w+\.py)(?:::\w+)?`",
        re.sub(r"```.*?```", "", text, flags=re.S),
    )
    missing = [name for name in set(named) - made_by_its_steps if not _exists(name)]
    assert missing == []


def _exists(name):
    """Whether a path from the root is there (one that fits, where it has a *), or a file of that name."""
    return any(ROOT.glob(name)) if "/" in name else any(any(ROOT.glob(f"{top}/**/{name}")) for top in FOLDERS)


def test_every_test_that_a_document_names_exists():
    named = {(page.name, *named) for page in PAGES for named in _tests_named_by(page)}
    assert named
    for page, file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(), f"{page} names {file}::{test}"


def _tests_named_by(page):
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text())
