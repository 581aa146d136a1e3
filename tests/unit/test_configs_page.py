"""docs/configs.md: each example gives exactly what the page says of it."""

import re
from pathlib import Path

import pytest

from backend.errors import NextlabelError
from backend.label_studio.label_config import parse_label_config
from demo.label_studio_server import LABEL_STUDIO_VERSION

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "configs.md").read_text()
EXAMPLES = re.findall(
    r"^### ([^\n]+)\n(?:[^\n]+\n)*\n```xml\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.M | re.S
)


def what_is_said(xml):
    """What the backend makes of a config, as the page writes it."""
    try:
        config = parse_label_config(xml)
    except NextlabelError as error:
        return f"{error.code}: {error.message}\n{error.hint}\n"
    labels = [
        label.name if label.name == label.title else f"{label.name} ({label.title})"
        for label in config.labels
    ]
    return (
        f"answered: {config.from_name} on {config.to_name}\n"
        f"labels: {', '.join(labels)}\n"
        f"read from the task: {', '.join(config.text_fields)}\n"
        + "".join(f"answered too: {question.name}\n" for question in config.questions[1:])
        + f"left to people: {', '.join(config.other_controls) or 'nothing'}\n"
        + "".join(f"could be answered too: {name}\n" for name in config.other_questions)
        + "".join(f"cannot be answered: {obstacle}\n" for obstacle in config.obstacles)
    )


def test_every_example_of_the_page_is_read():
    assert len(EXAMPLES) == PAGE.count("```xml") == PAGE.count("\n### ")


@pytest.mark.parametrize(("title", "xml", "said"), EXAMPLES, ids=[title for title, _, _ in EXAMPLES])
def test_an_example_gives_what_the_page_says(title, xml, said):
    assert what_is_said(xml) == said


def test_what_works_works_and_what_is_refused_is_refused():
    works, refused = PAGE.split("## What works", 1)[1].split("## What is said to the others", 1)
    assert "```text\nanswered: " in works and "unsupported-config" not in works
    assert "unsupported-config: " in refused and "```text\nanswered: " not in refused


@pytest.mark.parametrize("name", ["README.md", *(f"docs/{page.name}" for page in DOCS.glob("*.md"))])
def test_every_page_names_the_version_of_label_studio_that_the_tests_run(name):
    named = re.findall(r"Label Studio \**(\d+\.\d+\.\d+)", (DOCS.parent / name).read_text())
    assert set(named) <= {LABEL_STUDIO_VERSION}
    assert named or name not in {"README.md", "docs/configs.md"}
