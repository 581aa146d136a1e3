"""What the head of a project looks at: chosen by its labels, and looked up for its tasks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import compress

from backend.errors import NotFound
from backend.workflows.intake.embed import embed_project, encode_missing
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import Workspace
from model.encoders.tfidf import ALL_TERMS, Terms, TfidfEncoder, fit_tfidf, rows_to_fit, tfidf_revision
from model.records import Embeddings, Floats, Representation
from model.registry import Manifest
from model.representations.choice import FEWEST_LABELS, Choice, View, choose_representation
from model.representations.features import TERMS, represent, represent_names

MOST_TASKS = 200_000  # beyond, counts of words for every task would fill the memory


def choose_features(
    workspace: Workspace,
    snapshot: Snapshot,
    *,
    titles: Sequence[str],
    names: Floats | None,
    counts_words: bool,
) -> tuple[Choice, TfidfEncoder | None]:
    """The representation that the labels speak for, and the words it needs, if any.

    `names` (c, d) are the encoder's vectors of the `titles` of the labels; None where it reads no words.
    Without `counts_words`, where tasks show no text, words are not looked at.
    """
    labelled = snapshot.labelled_embeddings
    counters: dict[Terms, TfidfEncoder] = {}
    if counts_words and len(labelled) >= FEWEST_LABELS and len(snapshot.embeddings) <= MOST_TASKS:
        counters = _fit_counters(workspace, snapshot)
    views = _views(workspace, labelled, counters, titles, names)
    choice = choose_representation(views, snapshot.labels, seed=workspace.seed)
    terms = TERMS.get(choice.representation)
    return choice, None if terms is None else counters[terms]


def _views(
    workspace: Workspace,
    labelled: Embeddings,
    counters: Mapping[Terms, TfidfEncoder],
    titles: Sequence[str],
    names: Floats | None,
) -> dict[Representation, View]:
    """Labelled tasks and names of labels in each representation that can be had."""
    counted = {terms: _count_words(workspace, labelled, counter) for terms, counter in counters.items()}
    of_titles = {terms: counter.encode(titles) for terms, counter in counters.items()}
    views: dict[Representation, View] = {"encoder": View(labelled, names)}
    return views | {
        name: View(represent(name, labelled, counted[terms]), represent_names(name, names, of_titles[terms]))
        for name, terms in TERMS.items()
        if terms in counters
    }


def with_features(
    workspace: Workspace,
    snapshot: Snapshot,
    *,
    representation: Representation,
    words: TfidfEncoder | None,
) -> Snapshot:
    """The same snapshot as a head of this representation sees it; new tasks have their words counted."""
    if words is None:
        return snapshot

    def counted(items: Embeddings) -> Embeddings:
        hashes = [snapshot.contents[task_id] for task_id in items.ids.tolist()]
        is_there, vectors = workspace.vectors.gather(words.revision, hashes)
        if not is_there.all():
            _count_new(workspace, snapshot, words)
            is_there, vectors = workspace.vectors.gather(words.revision, hashes)
        if not is_there.all():
            raise _texts_are_gone(len(set(compress(hashes, ~is_there))))
        rows = vectors.reshape(len(items), words.dimensions)
        return represent(representation, items, Embeddings(items.ids, rows, words.revision))

    return replace(
        snapshot,
        features=counted(snapshot.embeddings),
        synthetic_features=counted(snapshot.synthetic_embeddings),
    )


def _count_new(workspace: Workspace, snapshot: Snapshot, words: TfidfEncoder) -> None:
    """Keeps the counted words of the tasks of a snapshot; those that are in none yet need none."""
    if not len(snapshot.unencoded):
        embed_project(workspace, progress=Silent(), encoder=words)
        return
    known = workspace.vectors.known(words.revision, set(snapshot.contents.values()))
    new = [task_id for task_id, content in snapshot.contents.items() if content not in known]
    encode_missing(workspace, words, workspace.tasks.contents_of(new), Silent())


def _texts_are_gone(count: int) -> NotFound:
    """Words can only be counted in texts that are there; those of a past loop may have been deleted since."""
    return NotFound(
        f"{count} texts of that loop are gone, or were edited, and its model counts words.",
        hint="Replay a loop whose tasks are all still there.",
    )


def as_version_sees(workspace: Workspace, snapshot: Snapshot, manifest: Manifest) -> Snapshot:
    """The snapshot as the head of a stored version sees it."""
    words = version_words(workspace, manifest)
    return with_features(workspace, snapshot, representation=manifest.representation, words=words)


def version_words(workspace: Workspace, manifest: Manifest) -> TfidfEncoder | None:
    """The words that the head of a version needs, if any."""
    return None if manifest.words is None else workspace.registry.load_words(workspace.key, manifest.words)


def _fit_counters(workspace: Workspace, snapshot: Snapshot) -> dict[Terms, TfidfEncoder]:
    """The encoders by terms as they are kept, or fitted anew when many texts have come or changed."""
    first = {content: task_id for task_id, content in reversed(snapshot.contents.items())}
    by_age = sorted(first.items(), key=lambda pair: pair[1])
    chosen = {terms: [by_age[row] for row in rows_to_fit(len(by_age), terms).tolist()] for terms in ALL_TERMS}
    revisions = {
        terms: tfidf_revision((content for content, _ in rows), terms) for terms, rows in chosen.items()
    }
    found: dict[Terms, TfidfEncoder] = {}
    for terms, revision in revisions.items():
        counter = workspace.registry.load_words(workspace.key, revision)
        if counter is None:
            counter = fit_tfidf(_texts(workspace, [task for _, task in chosen[terms]]), revision=revision)
            if counter is not None:
                _keep(workspace, counter, current=revisions.values())
        if counter is not None:
            found[terms] = counter
    return found


def _keep(workspace: Workspace, words: TfidfEncoder, *, current: Collection[str]) -> None:
    """Stores new words and forgets how often the old ones were counted: that is quickly done again."""
    before = workspace.registry.save_words(workspace.key, words, keep=current)
    workspace.vectors.forget({*before, words.revision} - (set(current) - {words.revision}))


def _count_words(workspace: Workspace, items: Embeddings, words: TfidfEncoder) -> Embeddings:
    texts = _texts(workspace, items.ids.tolist())
    return Embeddings(items.ids, words.encode(texts), words.revision)


def _texts(workspace: Workspace, task_ids: Sequence[int]) -> list[str]:
    """Contents of some tasks, in the order given. Raises NotFound where tasks are gone."""
    found = workspace.tasks.read_texts(task_ids)
    if gone := set(task_ids).difference(found):
        raise _texts_are_gone(len(gone))
    return [found[task_id] for task_id in task_ids]
