"""Which kind of question a column answers, and its answers as the loop has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.errors import BadRequest
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import SINGLE_CHOICE, Label, Question
from backend.simulation.spoken import Form, Said, as_word

SEVERAL_CHOICES, RATING, NUMBER = "several choices", "rating", "number"
KINDS = (SINGLE_CHOICE, SEVERAL_CHOICES, RATING, NUMBER)
# A preference is about two texts, each with a vector of its own: there is nothing to simulate it with.
NOT_SIMULATED = ("pairwise",)

_HIGHEST_GRADE = 10  # without anybody's word for it; whole numbers beyond are amounts
_FEWEST_GRADES = 3  # two numbers are yes and no
_MOST_GRADES = 100  # as <Rating> has them here
_LARGEST = 1e30  # numbers are of single precision

Placed = tuple[str, Said]


@dataclass(frozen=True, slots=True)
class Column:
    """What a column says, row by row: where it stands ("line 3"), and what."""

    file: str
    name: str
    said: tuple[Placed, ...]


def kind_of(column: Column) -> tuple[str, str]:
    """The kind of question that a column answers, and what was guessed about it, in a sentence or empty.

    Lists are several choices, unless each has one word. Numbers: two different ones, or 0, 1, 2 and on
    without a gap, are classes; whole ones from 1 to 10 grades; all others amounts. Raises BadRequest where
    rows say things of different forms.
    """
    forms: dict[Form, list[Placed]] = {}
    for where, said in column.said:
        forms.setdefault(said.form, []).append((where, said))
    lists = [said for _, said in forms.get("a list", [])]
    is_single = all(len(said.words) == 1 for said in lists)
    is_mixed_well = is_single or all(said.is_wrapped for said in lists)
    if len(forms) > 2 or len(forms) == 2 and ("a number" in forms or not is_mixed_well):
        raise _mixed(column, forms)
    if "a number" in forms:
        return _kind_of_numbers([said.number for _, said in column.said])
    return (SINGLE_CHOICE if is_single else SEVERAL_CHOICES), ""


def _kind_of_numbers(numbers: Sequence[float]) -> tuple[str, str]:
    different = sorted(set(numbers))
    if len(different) < _FEWEST_GRADES:
        return SINGLE_CHOICE, "two numbers, taken for the names of two classes"
    if different == [float(place) for place in range(len(different))] and 2 * len(different) <= len(numbers):
        return SINGLE_CHOICE, "numbers from 0 on without a gap, taken for the names of classes"
    is_whole = all(number.is_integer() for number in different)
    if is_whole and different[0] >= 1 and different[-1] <= _HIGHEST_GRADE:
        return RATING, f"whole numbers, taken for grades from 1 to {int(different[-1])}"
    return NUMBER, "numbers, taken for amounts"


def _mixed(column: Column, forms: dict[Form, list[Placed]]) -> BadRequest:
    rare = min(forms, key=lambda form: len(forms[form]))
    most = max(forms, key=lambda form: len(forms[form]))
    where, said = forms[rare][0]
    shown = as_word(said.number) if said.form == "a number" else ", ".join(said.words) or "empty"
    others = len(forms[most])
    return BadRequest(
        f"{column.file}, {where}: {column.name!r} is {rare} ({shown[:40]!r}), and "
        f"{'one row has' if others == 1 else f'{others:,} rows have'} {most} there.",
        hint="One column answers one kind of question: words for one choice, lists for several, numbers for "
        "a rating or a number. --kind says which it is.",
    )


def to_target(said: Said, kind: str) -> Target:
    """An answer of a kind. Raises ValueError with what it is instead, after "it is"."""
    words = said.words if said.form != "a number" else (as_word(said.number),)
    if kind == SEVERAL_CHOICES:
        return words
    if kind == SINGLE_CHOICE:
        if len(words) != 1:
            raise ValueError("not one label")
        return words
    if said.form != "a number":
        raise ValueError("no number")
    if kind == RATING:
        if not (said.number.is_integer() and 1 <= said.number <= _MOST_GRADES):
            raise ValueError(f"no grade from 1 to {_MOST_GRADES}")
        return (as_word(said.number),)
    if abs(said.number) > _LARGEST:
        raise ValueError("a number beyond all bounds")
    return (repr(said.number),)


def make_question(name: str, kind: str, targets: Sequence[Target]) -> Question:
    """A question with the labels that its answers name; of a rating all grades up to the highest."""
    if kind == RATING:
        names = [str(grade) for grade in range(1, max(int(target[0]) for target in targets) + 1)]
    elif kind == NUMBER:
        names = ["value"]
    else:
        names = sorted({word for target in targets for word in target})
    labels = tuple(Label(name=word, title=word) for word in names)
    return Question(name, "", "", labels, is_conditional=False, is_required=False, obstacle="", kind=kind)
