"""Projects labelled by a simulated annotator, and what the signals said of them beside the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from model.audit import audit_hash, audit_quota, audit_threshold
from model.encoders.text import load_text_encoder
from model.encoders.tfidf import fit_tfidf, rows_to_fit
from model.heads.cold_start import cold_start
from model.heads.neighbour_graph import NeighbourGraph, build_neighbour_graph
from model.heads.single_label import LinearHead
from model.heads.trained import HeadSettings, TrainedHead
from model.ranking import DEFAULT_STRATEGY, rank
from model.records import Embeddings, Floats, Labels, LabelSpace, Probabilities
from model.signals.forecast import Forecast, forecast_gain
from model.signals.honest_accuracy import asked_blind, measure_accuracy
from model.signals.learning_curve import SHARES, Judge, LabelLog, trace_learning
from model.signals.stopping import agreement_of_versions, pick_stop_set
from model.signals.trusted import certify_threshold
from model.strategies import StrategyInput
from model.training import train

SETS = {
    "banking77": ("label", 700),
    "clinc150": ("domain", 600),
    "20news": ("label", 700),
    "r52": ("label", 600),
    "spamassassin": ("label", 500),
    "reviews": ("label", 700),
}
POOL, TEST = 5000, 3000
FIRST_BATCH, BATCH = 50, 100
SHARE = 0.15
ASKED = 400  # labels by the strategy, beside which audit labels are drawn
AUDIT_SIZES = (100, 200, 400)
AGAINST_AT = 400
_OTHER_SEED = 1000  # of an audit sample that the run itself knows nothing of
PRECISION, CERTAINTY = 0.95, 0.9
STEP_OF_A_TEST = 10  # items between thresholds that are compared

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class TextSet:
    """A set of texts: vectors (n, d), counted words (n, k) and answers (n,); and its class names likewise."""

    name: str
    vectors: Floats
    words: Floats
    answers: Rows
    name_vectors: Floats
    name_words: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """A pool to label, items apart from it, and what the live loop would have beside them."""

    seed: int
    pool: Embeddings
    answers: Rows
    test: Embeddings
    test_answers: Rows
    space: LabelSpace
    name_vectors: Floats
    neighbour_graph: NeighbourGraph

    def labels(self, rows: Rows) -> Labels:
        """The true answers of some rows."""
        targets = np.eye(len(self.space), dtype=np.float32)[self.answers[rows]]
        return Labels(self.pool.ids[rows], targets, self.space)

    def train(self, rows: Rows, *, seed: int = 0) -> TrainedHead:
        """What the live loop would train on some rows."""
        return train(
            self.pool.take(rows),
            self.labels(rows),
            name_vectors=self.name_vectors,
            audit=np.zeros(len(rows), dtype=np.bool_),
            rng=np.random.default_rng([self.seed, seed]),
            neighbour_graph=self.neighbour_graph,
        )

    def test_accuracy(self, trained: TrainedHead) -> float:
        """Share of right answers on the items apart."""
        return float((trained.head.logits(self.test.vectors).argmax(axis=1) == self.test_answers).mean())


def load_sets(folder: Path) -> list[TextSet]:
    """The sets that are in a folder."""
    return [texts for name in SETS if (texts := _load_set(folder, name)) is not None]


def _load_set(folder: Path, name: str) -> TextSet | None:
    """A set of the folder with its vectors, which are kept there; None if it is not there."""
    path, kept = folder / f"{name}.jsonl", folder / f"{name}.vectors.npz"
    if not path.is_file():
        return None
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row.get("split", "train") in ("train", "test")]
    said, given = [row["text"] for row in rows], [row[SETS[name][0]] for row in rows]
    classes = sorted(set(given))
    titles = [one.replace("_", " ").replace("-", " ") for one in classes]
    if not kept.is_file():
        encoder = load_text_encoder(threads=1)
        np.savez(kept, x=encoder.encode(said), names=encoder.encode(titles))
    words = fit_tfidf([said[row] for row in rows_to_fit(len(said))], revision=f"words of {name}")
    if words is None:
        raise ValueError(f"{path}: no two texts share a word")
    with np.load(kept) as vectors:
        answers = np.array([classes.index(one) for one in given], dtype=np.intp)
        names = vectors["names"], words.encode(titles)
        return TextSet(name, vectors["x"], words.encode(said), answers, *names)


def draw_project(texts: TextSet, seed: int) -> Project:
    """A random pool and a random test set of one set."""
    order = np.random.default_rng([seed, 1]).permutation(len(texts.answers))
    size = min(POOL, int(0.7 * len(order)))
    inside, apart = np.sort(order[:size]), order[size : size + TEST]
    everything = Embeddings(np.arange(1, len(order) + 1), texts.vectors, "frozen")
    pool = everything.take(inside)
    return Project(
        seed,
        pool,
        texts.answers[inside],
        everything.take(apart),
        texts.answers[apart],
        LabelSpace(tuple(str(column) for column in range(len(texts.name_vectors)))),
        texts.name_vectors,
        build_neighbour_graph(pool, np.random.default_rng([seed, 2])),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A project that was labelled: rows in the order of labelling, and the head after every batch.

    `audited` holds a head for each size of a blind audit sample beside what the strategy asked.
    """

    project: Project
    order: Rows
    heads: dict[int, TrainedHead]
    audited: dict[int, TrainedHead]

    @property
    def rank(self) -> Rows:
        """The place of every row in the order of the audit hash."""
        hashes = audit_hash(self.project.pool.ids, self.project.seed)
        return np.argsort(np.argsort(hashes))

    def blind(self, labels: int) -> NDArray[np.bool_]:
        """Which of the first labels were asked as audit items."""
        places = np.arange(labels)
        return asked_blind(self.rank[self.order[:labels]], places, window=BATCH, audit_share=SHARE)

    def rest(self, labels: int) -> Rows:
        """Rows without a label after so many."""
        return np.setdiff1d(np.arange(len(self.project.pool)), self.order[:labels])


def save_run(run: Run, path: Path) -> None:
    """Keep the order and all heads, so that signals can be measured again without labelling again."""
    arrays: dict[str, NDArray[Any]] = {"order": run.order}
    for kind, heads in (("", run.heads), ("audited-", run.audited)):
        arrays[f"{kind}sizes"] = np.array(list(heads))
        for size, trained in heads.items():
            head = trained.head
            arrays[f"{kind}weights-{size}"] = np.vstack(
                [head.weights, head.bias, np.full_like(head.bias, head.temperature)]
            )
            arrays[f"{kind}beliefs-{size}"] = trained.out_of_fold.values
    np.savez(path, **arrays)


def load_run(project: Project, path: Path) -> Run:
    """A run that was kept."""
    with np.load(path) as kept:
        order = kept["order"]
        sizes = kept["sizes"].tolist()
        heads = {size: _load_head(project, kept, order[:size], "", size) for size in sizes}
        run = Run(project, order, heads, {})
        for size in kept["audited-sizes"].tolist() if "audited-sizes" in kept else []:
            rows, _, _ = draw_audit(run, size)
            run.audited[size] = _load_head(project, kept, rows, "audited-", size)
    return run


def _load_head(
    project: Project, kept: Mapping[str, NDArray[Any]], rows: Rows, kind: str, size: int
) -> TrainedHead:
    weights = kept[f"{kind}weights-{size}"]
    head = LinearHead(weights[:-2], weights[-2], float(weights[-1, 0]), project.space)
    beliefs = Probabilities(project.pool.ids[rows], kept[f"{kind}beliefs-{size}"], "out-of-fold")
    # which settings were chosen is not kept: the signals look at heads and beliefs alone
    settings = HeadSettings(None, 0.0, 1, head.temperature, self_trained=False)
    return TrainedHead(head, {}, beliefs, settings)


def label_project(project: Project, budget: int) -> Run:
    """Label in the order of the live loop: rank, answer a batch, train, and again."""
    order: Rows = np.zeros(0, dtype=np.intp)
    trained = cold_start(project.name_vectors, project.space)
    heads: dict[int, TrainedHead] = {}
    while len(order) < budget:
        batch = FIRST_BATCH if len(order) < BATCH else BATCH
        order = np.concatenate([order, _ask(project, order, trained, batch)])
        trained = project.train(order)
        heads[len(order)] = trained
    return Run(project, order, heads, {})


def audit_run(run: Run) -> None:
    """Train the heads beside audit samples that the run does not have yet."""
    for size in AUDIT_SIZES:
        if size not in run.audited:
            rows, _, _ = draw_audit(run, size)
            run.audited[size] = run.project.train(rows)


def draw_audit(run: Run, size: int) -> tuple[Rows, NDArray[np.bool_], NDArray[np.bool_]]:
    """Rows to learn when `size` audit labels stand beside those the strategy asked; which are of the audit
    sample; and which of them were asked blind."""
    pool = run.project.pool
    asked = np.isin(np.arange(len(pool)), run.order[:ASKED])
    by_rank = np.argsort(audit_hash(pool.ids, run.project.seed + _OTHER_SEED))
    ends = np.flatnonzero(np.cumsum(~asked[by_rank]) == size)[0] + 1
    prefix = np.isin(np.arange(len(pool)), by_rank[:ends])
    rows = np.flatnonzero(asked | prefix)
    return rows, prefix[rows], (prefix & ~asked)[rows]


def _ask(project: Project, order: Rows, trained: TrainedHead, batch: int) -> Rows:
    pool = project.pool.take(np.setdiff1d(np.arange(len(project.pool)), order))
    hashes = audit_hash(pool.ids, project.seed)
    quota = audit_quota(len(order) + batch, share=SHARE)
    bar = audit_threshold(project.pool.ids, project.seed, quota)
    ranking = rank(
        StrategyInput(
            pool,
            trained.head.probabilities(pool, "simulated"),
            project.pool.take(order),
            batch,
            project.answers[order],
        ),
        strategy=DEFAULT_STRATEGY,
        window=batch,
        audit=hashes < bar,
        audit_order=hashes,
        share=SHARE,
        rng=np.random.default_rng([project.seed, len(order)]),
    )
    return np.searchsorted(project.pool.ids, ranking.ids[:batch])


def measure_run(run: Run) -> dict[str, Any]:
    """Everything that is judged about one run."""
    found: dict[str, Any] = {"live": [_live(run, labels) for labels in run.heads if labels >= 200]}
    found["drawn"] = [_drawn(run, size) for size in AUDIT_SIZES]
    found["steps"] = _watch(run)
    return found


def _live(run: Run, labels: int) -> dict[str, Any]:
    """Honest accuracy as the live loop would show it."""
    ranks, rows = run.rank, run.order[:labels]
    audit = ranks[rows] < audit_quota(labels, share=SHARE)
    blind = run.blind(labels)
    trained, position = run.heads[labels], np.arange(labels)
    return _accuracy(run.project, rows, trained, audit | blind, blind, position=position)


def _drawn(run: Run, size: int) -> dict[str, Any]:
    """Honest accuracy and trust with so many audit labels beside those that the strategy asked."""
    rows, audit, blind = draw_audit(run, size)
    trained = run.audited[size]
    return _accuracy(run.project, rows, trained, audit, blind) | _trust(run.project, rows, trained, blind)


def _accuracy(
    project: Project,
    rows: Rows,
    trained: TrainedHead,
    audit: NDArray[np.bool_],
    blind: NDArray[np.bool_],
    *,
    position: Rows | None = None,
) -> dict[str, Any]:
    rest = np.setdiff1d(np.arange(len(project.pool)), rows)
    beliefs = trained.head.probabilities(project.pool.take(rest), "deployed").values
    held_out, answers = trained.out_of_fold.values, project.answers
    found = measure_accuracy(
        held_out,
        answers[rows],
        audit=audit,
        blind=blind,
        unlabelled_confidence=beliefs.max(axis=1),
        space=project.space,
        rng=np.random.default_rng(project.seed),
        position=position,
    )
    right = (beliefs.argmax(axis=1) == answers[rest]).sum() + (held_out.argmax(axis=1) == answers[rows]).sum()
    ranges = {
        name: [estimate.value, estimate.low, estimate.high]
        for name, estimate in (("plain", found.plain), ("assisted", found.prediction_powered))
        if estimate is not None
    }
    return ranges | {
        "labels": len(rows),
        "audit": int(audit.sum()),
        "worth": found.worth,
        "pool": float(right / len(project.pool)),
        "test": project.test_accuracy(trained),
    }


def _trust(project: Project, rows: Rows, trained: TrainedHead, blind: NDArray[np.bool_]) -> dict[str, Any]:
    """The certified threshold, a naive one, and the best one that knows all answers."""
    rest = np.setdiff1d(np.arange(len(project.pool)), rows)
    beliefs = trained.head.probabilities(project.pool.take(rest), "deployed").values
    sure, right = beliefs.max(axis=1), beliefs.argmax(axis=1) == project.answers[rest]
    held_out = trained.out_of_fold.values[blind]
    seen, correct = held_out.max(axis=1), held_out.argmax(axis=1) == project.answers[rows][blind]
    found = certify_threshold(seen, correct, unlabelled_confidence=sure, precision=PRECISION)
    naive = _lowest_threshold(seen, correct)
    best = _lowest_threshold(sure, right)
    return {
        "coverage": found.coverage,
        "broken": bool(found.threshold is not None and right[sure >= found.threshold].mean() < PRECISION),
        "oracle": float((sure >= best).mean()),
        "single": _best_single_test(sure, right, int(blind.sum())),
        "naive_coverage": float((sure >= naive).mean()),
        "naive_broken": bool((sure >= naive).any() and right[sure >= naive].mean() < PRECISION),
    }


def _lowest_threshold(sure: Floats, right: NDArray[np.bool_]) -> float:
    """The lowest confidence above which the precision is met on these very items; infinite if none is."""
    order = np.argsort(-sure, kind="stable")
    precise = np.cumsum(right[order]) / np.arange(1, len(order) + 1) >= PRECISION
    return float(sure[order[np.flatnonzero(precise)[-1]]]) if precise.any() else np.inf


def _best_single_test(sure: Floats, right: NDArray[np.bool_], audit: int) -> float:
    """Mean share of items that one binomial test certifies at the one threshold that serves best.

    To know that threshold takes all answers, so no method that has to guess it can be held against this.
    """
    precise = np.cumsum(right[np.argsort(-sure, kind="stable")]) / np.arange(1, len(sure) + 1)
    ends = np.arange(STEP_OF_A_TEST, len(sure) + 1, STEP_OF_A_TEST)
    drawn = np.maximum(np.rint(audit * ends / len(sure)).astype(np.intp), 1)
    errors = np.arange(audit + 1)[:, None]
    passing = bdtr(errors, drawn, 1.0 - PRECISION) <= 1.0 - CERTAINTY
    allowed = passing.sum(axis=0) - 1  # a test passes with so many errors or fewer; -1 if it never does
    chance = np.where(allowed >= 0, bdtr(np.maximum(allowed, 0), drawn, 1.0 - precise[ends - 1]), 0.0)
    return float((ends / len(sure) * chance * (precise[ends - 1] >= PRECISION)).max())


def _watch(run: Run) -> list[dict[str, Any]]:
    """After every batch: accuracy, the forecast, and how far predictions agree with the last ones."""
    project = run.project
    stop_ids = pick_stop_set(project.pool.ids, project.seed)
    stop_set = project.pool.take(np.searchsorted(project.pool.ids, stop_ids))
    before: Rows | None = None
    found = []
    for labels, trained in run.heads.items():
        now = trained.head.logits(stop_set.vectors).argmax(axis=1)
        kappa = None if before is None else agreement_of_versions(stop_ids, before, stop_ids, now)
        gain = _forecast(run, labels).gain
        found.append(
            {
                "labels": labels,
                "test": project.test_accuracy(trained),
                "kappa": kappa,
                "gain": None if gain is None else [gain.value, gain.low, gain.high],
            }
        )
        before = now
    return found


def _forecast(run: Run, labels: int) -> Forecast:
    blind = run.blind(labels)
    if blind.sum() < 30:
        return forecast_gain([], rng=np.random.default_rng(0))
    wanted = [share * labels for share in SHARES] + [labels]
    sizes = sorted({min(run.heads, key=lambda size: abs(size - one)) for one in wanted})
    rest = run.project.pool.take(run.rest(labels))
    judge = Judge(_log(run, labels), run.heads[labels], rest, len(run.project.pool))
    steps = [judge.step(np.arange(size), run.heads[size]) for size in sizes if size <= labels]
    return forecast_gain(steps, rng=np.random.default_rng(run.project.seed))


def _log(run: Run, labels: int) -> LabelLog:
    rows = run.order[:labels]
    return LabelLog(run.project.pool.take(rows), run.project.labels(rows), run.blind(labels))


def measure_against(run: Run) -> dict[str, Any]:
    """The order beside a random one, as the signal says and as it truly is."""
    project, labels = run.project, AGAINST_AT
    curve = trace_learning(
        _log(run, labels),
        run.heads[labels],
        unlabelled=project.pool.take(run.rest(labels)),
        pool_size=len(project.pool),
        name_vectors=project.name_vectors,
        rng=np.random.default_rng(project.seed),
        neighbour_graph=project.neighbour_graph,
    )
    against = curve.against_random
    if against is None:
        raise ValueError(f"no comparison after {labels} labels")
    few, now = against.labels, against.random_now
    ours = project.test_accuracy(project.train(run.order[:few]))
    return {
        "difference": [against.difference.value, against.difference.low, against.difference.high],
        "difference_true": ours - _random_accuracy(project, few, draws=3),
        "random_now": [now.value, now.low, now.high],
        "random_now_true": _random_accuracy(project, labels, draws=2),
        "now_true": project.test_accuracy(run.heads[labels]),
        "shown": against.shown,
    }


def _random_accuracy(project: Project, labels: int, *, draws: int) -> float:
    rng = np.random.default_rng([project.seed, 3])
    found = [
        project.test_accuracy(project.train(rng.permutation(len(project.pool))[:labels], seed=number))
        for number in range(draws)
    ]
    return float(np.mean(found))


def cost_regret(steps: Sequence[dict[str, Any]], stop: int, price: float) -> float:
    """How much dearer it was to stop at a step than at the best one (Pullar-Strecker et al., 2022).

    The cost is that of the labels, at `price` (in shares of accuracy) a hundred, and that of all errors.
    """
    cost = [price * step["labels"] / 100.0 + 1.0 - step["test"] for step in steps]
    return float(cost[stop] / min(cost) - 1.0)
