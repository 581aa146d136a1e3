"""The sub-command `simulate labels`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from backend.errors import BadRequest
from backend.simulation.arguments import (
    AsJson,
    Data,
    ImageField,
    LabelField,
    OpenContext,
    ProjectNumber,
    TextField,
    words,
)
from backend.terminal import TerminalProgress, plain

if TYPE_CHECKING:
    from backend.context import Context
    from backend.simulation.answered import AnsweredTexts
    from backend.simulation.labels import Options, Outcome
    from model.records import Representation

AUTO = "auto"
_EXAMPLES = """Examples:
  nextlabel simulate labels reviews.csv
  nextlabel simulate labels reviews.csv --plot curves.html --budgets 50,100,400
  nextlabel simulate labels --project 7

One row of JSON lines for each kind of question:
  {"text": "…", "label": "sports"}                      one choice
  {"text": "…", "label": ["sports", "money"]}           several choices; [] is none of them
  {"text": "…", "label": 4}                             a rating; 3.5 is a number
  {"text": "…", "labels": {"topics": ["a"], "stars": 4}}   several questions of one text
CSV holds lists as JSON; --label-field topics,stars takes two columns.

Pictures, in place of a text or beside it; several pages are a list:
  {"image": "cats/1.png", "label": "cats"}              a path, relative to the file
  {"image": "cats/1.png", "text": "…", "label": "cats"}
  nextlabel simulate labels photos                      photos/cats/1.png, photos/dogs/1.png …
What cannot be read is left out and named. IMAGE_ENCODER encodes them, as in the loop."""

Strategies = Annotated[
    str | None,
    typer.Option(help="Beside default and random, with commas; margin for one choice, else none."),
]
Budgets = Annotated[str, typer.Option(help="Numbers of labels, with commas.")]
Batch = Annotated[int, typer.Option(min=1, help="Labels between trainings.")]
Seeds = Annotated[int, typer.Option(min=1, help="Runs of each strategy.")]
Noise = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of wrong answers.")]
Kind = Annotated[
    str,
    typer.Option(
        help="What the label is, where it is not to be guessed: single choice, several "
        "choices, rating, number."
    ),
]
Splits = Annotated[str, typer.Option(help="Splits to use beside train and test.")]
Names = Annotated[bool, typer.Option(help="Let label names speak before there are labels.")]
RepresentationName = Annotated[
    str, typer.Option(help="What the model looks at: encoder, joined, tfidf; auto lets labels choose.")
]
Plot = Annotated[
    Path | None, typer.Option(help="Draw the curves: .png, .svg, .pdf, or .html with the table.")
]
_out = Console()
_err = Console(stderr=True)


def add_labels(simulate: typer.Typer, *, open_context: OpenContext) -> None:
    """Puts `labels` beside the other sub-commands of `simulate`."""

    @simulate.command(epilog=_EXAMPLES)
    def labels(
        data: Data = None,
        project: ProjectNumber = None,
        strategies: Strategies = None,
        budgets: Budgets = "20,50,100,200",
        batch: Batch = 10,
        seeds: Seeds = 5,
        noise: Noise = 0.0,
        text_field: TextField = None,
        image_field: ImageField = None,
        label_field: LabelField = None,
        kind: Kind = "",
        splits: Splits = "",
        names: Names = True,
        representation: RepresentationName = AUTO,
        plot: Plot = None,
        as_json: AsJson = False,
    ) -> None:
        """How many labels each strategy needs. `start+then` is a strategy too: `random+margin`."""
        with open_context() as context, TerminalProgress(_err) as progress:
            from backend.simulation.labels import Options
            from backend.simulation.plot import draw_curves, require_plot_file
            from backend.simulation.rows import Wanted
            from backend.simulation.source import read_answered_source, say_notes

            if plot is not None:
                require_plot_file(plot)
            options = Options(
                strategies=() if strategies is None else _known_strategies(strategies),
                budgets=_numbers(budgets),
                batch=batch,
                seeds=seeds,
                noise=noise,
                audit_share=context.settings.audit_share,
                with_names=names,
                representation=_known_representation(representation),
            )
            wanted = Wanted(text_field, label_field, words(splits), image_field)
            texts = read_answered_source(context, data, project, wanted, progress, kind=_known_kind(kind))
            say_notes(_err, texts.notes)
            name = data.stem if data else f"project-{project}"
            outcome = _run(context, texts, options, progress, is_named=strategies is not None, name=name)
            if plot is not None:
                draw_curves(outcome, plot)
        _tell(outcome, plot, as_json=as_json)


def _run(
    context: Context,
    texts: AnsweredTexts,
    options: Options,
    progress: TerminalProgress,
    *,
    is_named: bool,
    name: str,
) -> Outcome:
    """One choice alone goes its own way, as in the live loop."""
    from backend.simulation.labels import run_strategies
    from backend.simulation.labels_of_questions import run_on_questions

    one_choice = texts.one_choice()
    if one_choice is None:
        return run_on_questions(context, texts, options, dataset=name, progress=progress)
    if not is_named:
        options = replace(options, strategies=("margin",))
    return run_strategies(context, one_choice.rows, options, dataset=name, progress=progress)


def _tell(outcome: Outcome, plot: Path | None, *, as_json: bool) -> None:
    """Says where the curves are, and prints the table, or one JSON object."""
    from backend.simulation.labels_json import outcome_json
    from backend.simulation.labels_table import print_outcome

    if plot is not None:
        _err.print(plain(f"{plot} was written."), soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps(outcome_json(outcome)) + "\n")
        return
    print_outcome(_out, outcome)


def _known_kind(kind: str) -> str:
    """The kind that is named; empty for the one that the rows say."""
    from backend.simulation.asked import KINDS

    if kind and kind not in KINDS:
        raise BadRequest(f"--kind {kind}: expected one of {', '.join(KINDS)}.")
    return kind


def _known_strategies(text: str) -> tuple[str, ...]:
    from backend.simulation.labels import DEFAULT
    from model.simulation.run import Plan

    names = tuple(name for name in words(text) if name != DEFAULT)
    try:
        for name in names:
            Plan(name, batch=1, budget=1, audit_share=0.0, seed=0)
    except ValueError as error:
        raise BadRequest(f"--strategies: {error}.") from None
    return names


def _known_representation(text: str) -> Representation | None:
    """None for the one that the labels choose."""
    from model.records import REPRESENTATIONS

    for name in REPRESENTATIONS:
        if name == text:
            return name
    if text != AUTO:
        expected = ", ".join((AUTO, *REPRESENTATIONS))
        raise BadRequest(f"--representation {text}: expected one of {expected}.")
    return None


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = sorted({int(word) for word in words(text)})
    except ValueError:
        raise BadRequest(f"--budgets {text}: expected whole numbers with commas.") from None
    if not numbers or numbers[0] < 1:
        raise BadRequest(f"--budgets {text}: expected numbers of 1 or more.")
    return tuple(numbers)
