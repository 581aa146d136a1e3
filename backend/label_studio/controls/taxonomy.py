"""Paths in a tree of labels: <Taxonomy>, and <Choices allowNested="true">."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from lxml import etree

from backend.json_types import Json
from backend.label_studio.config_xml import attribute, is_true, kind
from backend.label_studio.controls.choices import dynamic_label, form_obstacles
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Label, Question
from backend.label_studio.controls.regions import region, values
from backend.label_studio.spelling import find_label
from model.tasks.paths import ancestors, join_path, split_path

_FEWEST_NODES = 2
_ARROW = " > "

Path = tuple[str, ...]


class Taxonomy:
    """A target is the names of the nodes where paths end, in the order of the config.

    A label is a node, its name the path to it (`join_path`), its title "a > b". Results carry whole paths.
    """

    kind = "taxonomy"

    def matches(self, tag: etree._Element) -> bool:
        """Every <Taxonomy>, and <Choices> whose answers are paths."""
        return kind(tag) == "taxonomy" or (kind(tag) == "choices" and is_true(tag, "allowNested"))

    def obstacles(self, tag: etree._Element) -> Iterator[str]:
        """Labels from elsewhere, answers for each region, fewer than two nodes."""
        yield from form_obstacles(tag)
        if address := attribute(tag, "apiUrl"):
            yield f'takes its labels from an address (apiUrl="{address}")'
        if is_true(tag, "labeling"):
            yield 'has labeling="true"'
        if (dynamic := dynamic_label(tag)) is not None:
            yield dynamic
        elif attribute(tag, "value") or attribute(tag, "apiUrl"):
            return
        elif not (nodes := self.labels(tag)):
            yield "has no <Choice>"
        elif len(nodes) < _FEWEST_NODES:
            yield "has a single <Choice>, a tick that says yes or no"

    def labels(self, tag: etree._Element) -> tuple[Label, ...]:
        """Every node, parents before their children, each path once."""
        return tuple({label.name: label for label in _nodes(tag, (), ())}.values())

    def read(self, regions: Sequence[Json], question: Question) -> Target | None:
        """The ends of all paths that the config has; None where there is none, whatever the reason."""
        given = (
            path for key in ("taxonomy", "choices") for said in values(regions, key) for path in _said(said)
        )
        found = {name for path in given for name in _find(path, question.labels)}
        return _ends(found, question) or None

    def merge(self, said: Sequence[Target], question: Question) -> Target | None:
        """As deep as more than half of the people go, on each path.

        Without any: "none of them" where more than half of the people said so, else None.
        """
        votes = Counter(node for target in said for node in _through(target))
        kept = _ends({node for node, count in votes.items() if 2 * count > len(said)}, question)
        is_none = 2 * sum(not target for target in said) > len(said)
        return kept if kept or is_none else None

    def render(self, question: Question, target: Target, *, confidence: float) -> list[Json]:
        """One region with all paths that people can give too.

        None for <Choices>: Label Studio keeps no prediction in the form that its editor reads there.
        """
        if question.tag.lower() == "choices":
            return []
        inner = {above for label in question.labels for above in ancestors(label.name)[-1:]}
        closed = inner if question.attribute("leafsOnly").lower() == "true" else set()
        names = _ends({name for name in target if name not in closed}, question)[: _most(question)]
        paths = [list(split_path(name)) for name in names]
        return [region(question, "taxonomy", {"taxonomy": paths}, confidence=confidence)] if paths else []


def _nodes(tag: etree._Element, path: Path, titles: Path) -> Iterator[Label]:
    """The nodes below a tag; one without a name leads nowhere."""
    for choice in _children(tag):
        value = attribute(choice, "value")
        step = attribute(choice, "alias") or value
        if step:
            to, read = (*path, step), (*titles, value or step)
            hint = attribute(choice, "hint").strip()
            yield Label(name=join_path(to), title=_ARROW.join(read), hint=hint)
            yield from _nodes(choice, to, read)


def _children(tag: etree._Element) -> Iterator[etree._Element]:
    """The choices below a tag that stand in no other below it: a <View> between them is no level."""
    for child in tag:
        if not isinstance(child.tag, str):
            continue
        if kind(child) == "choice":
            yield child
        else:
            yield from _children(child)


def _said(said: object) -> Iterator[Path]:
    """The paths of one region. Older releases wrote names alone, of one path or of several nodes."""
    if not isinstance(said, list):
        return
    flat = tuple(step for step in said if isinstance(step, str))
    if flat and len(flat) == len(said):
        yield flat
        yield from ((step,) for step in flat)
        return
    for path in said:
        if isinstance(path, list) and path and all(isinstance(step, str) for step in path):
            yield tuple(path)


def _find(path: Path, labels: tuple[Label, ...]) -> Iterator[str]:
    """The node that a path means, spelled by aliases or by values; a single step may stand for its node."""
    name = find_label(join_path(path), labels) or find_label(_ARROW.join(path), labels)
    if name is None and len(path) == 1:
        name = _last_steps(labels).get(path[0])
    if name is not None:
        yield name


@lru_cache(maxsize=64)  # a config has few taxonomies
def _last_steps(labels: tuple[Label, ...]) -> dict[str, str]:
    """Nodes by their last step, alias or value, where no other node ends so."""
    ways = {(way, label.name) for label in labels for way in _last_ways(label)}
    shared = Counter(way for way, _ in ways)
    return {way: name for way, name in ways if shared[way] == 1}


def _last_ways(label: Label) -> tuple[str, str]:
    return split_path(label.name)[-1], label.title.rpartition(_ARROW)[2]


def _through(target: Target) -> set[str]:
    """Every node that the paths of an answer go through."""
    return {node for name in target for node in (*ancestors(name), name)}


def _ends(names: set[str], question: Question) -> Target:
    """Those below which no other stands, in the order of the config."""
    above = {node for name in names for node in ancestors(name)}
    return tuple(label.name for label in question.labels if label.name in names and label.name not in above)


def _most(question: Question) -> int | None:
    """How many paths an answer may have; Label Studio refuses to submit more."""
    most = question.attribute("maxUsages")
    return int(most) if most.isascii() and most.isdecimal() and int(most) > 0 else None
