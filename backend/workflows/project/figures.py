"""What a loop finds, does and measures, as typed records: written in one shape, read in one place.

`Figures` is what a loop leaves in the database; `Signals` are what it measured of its own project.
Accuracies, gains, shares and coverages are fractions: 0.012 is 1.2 points. `to_json` gives a record as it is
stored, in which a field that was not set is not there; `read` takes a stored one of any age.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from backend.json_types import Json
from model.records import Representation, ThresholdSource
from model.signals.stopping import Advice, SignalName
from model.synthetic.items import Verdict

_Path = tuple[int | str, ...]


class Record(BaseModel):
    """A typed record: no unknown field, no value of another type, no number that is not finite."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, validate_assignment=True)

    def to_json(self) -> Json:
        """The record as it is stored: the fields that were set, in the order of their declaration."""
        return self.model_dump(mode="json", exclude_unset=True)

    def find(self, *path: str) -> Any:
        """What stands at a path of fields; None where a part on the way is missing."""
        found: Any = self
        for name in path:
            found = None if found is None else getattr(found, name)
        return found


class Whole(Record):
    """A record that may lack any of its fields, so that one of any age can be read."""

    @classmethod
    def read(cls, stored: object) -> Self:
        """The record in a stored one: what is missing or of another shape is left out. Never raises.

        A row or part that lacks what makes it one is left out whole.
        """
        while True:
            try:
                return cls.model_validate(stored)
            except ValidationError as error:
                stored = _without(stored, (fault["loc"] for fault in error.errors()))


class Range(Record):
    """A value and the interval around it."""

    value: float
    low: float
    high: float


class HeadMetrics(Whole):
    """What a training measured of its head out of fold, and the settings it chose: see model.training.

    Three names are older than the field's terms and stay, since versions in use carry them: `pooled` counts
    the heads of the ensemble, `surroundings` is 1 where pseudo-labels taught as well and 0 elsewhere, and
    `companions` is the weight of synthetic items.
    """

    labels: float | None = None
    classes_seen: float | None = None
    out_of_fold_accuracy: float | None = None
    out_of_fold_nll: float | None = None
    ece: float | None = None
    audit_labels: float | None = None
    audit_correct: float | None = None
    audit_accuracy: float | None = None
    audit_low: float | None = None
    audit_high: float | None = None
    inverse_regularisation: float | None = None
    prior_weight: float | None = None
    pooled: float | None = None
    temperature: float | None = None
    surroundings: float | None = None
    companions: float | None = None
    loss_encoder: float | None = None
    loss_joined: float | None = None
    loss_tfidf: float | None = None
    loss_joined_characters: float | None = None
    loss_characters: float | None = None


class Accuracy(Record):
    """How good the model is, judged by `blind` answers; nothing but `words` and `rough` while there is none.

    `method`: by blind answers alone (exact), or with what the rest of the project tells (assisted), from
    `needed` of them on. About `more_blind` more of them, among `more_answers` of all kinds, make the range
    ± `aim`; None where the project has too few tasks for that. `n` are all answers of the audit sample, and
    `plain` is their share; for `worth` of these one counts in the estimate. `rough`: the share of all
    `rough_n` answers that heads foresaw which had not learned them, mostly too low.
    """

    words: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    plain: Range | None = None
    worth: float | None = None
    n: int
    needed: int
    method: Literal["exact", "assisted"] | None = None
    blind: int = 0
    aim: float | None = None
    more_blind: int | None = None
    more_answers: int | None = None
    rough: float | None = None
    rough_n: int | None = None


class RestAccuracy(Record):
    """What accepting all that the model says of the `open` tasks would give, by `blind` answers.

    `estimate` is the share of these tasks of which it is right, about `wrong` are not; `whole` the share of
    all tasks that would be right then, answers of people counted as right.
    """

    words: str
    open: int
    blind: int
    estimate: float
    low: float
    high: float
    wrong: int
    whole: Range


Waiting = Literal["accuracy", "curve", "forecast", "advantage", "calibration", "classes", "trusted"]


class Wait(Record):
    """A finding that cannot be told yet: what is `known`, what it `lacks`, and in how many answers."""

    of: Waiting
    known: str
    lacks: str
    blind: int | None = None
    answers: int | None = None


class ClassRow(Record):
    """One class: its labels, its recall on `audit` labels of it, and its share of the predictions.

    `right` of the audit labels were found; `more` of them are lacking until the recall says much.
    """

    label: str
    labels: int
    audit: int
    right: int | None = None
    more: int | None = None
    recall: float | None = None
    low: float | None = None
    high: float | None = None
    predicted_share: float | None = None


class Bin(Record):
    """Audit labels of like confidence, and how many of them were right."""

    confidence: float
    accuracy: float
    low: float
    high: float
    n: int


class Calibration(Record):
    """Confidence beside truth on `n` audit labels; empty while these are too few."""

    ece: float | None = None
    n: int | None = None
    bins: list[Bin] = []


class TrustedSuggestions(Record):
    """The confidence from which on suggestions are right at `precision`; `coverage` of the pool reach it."""

    words: str
    threshold: float | None = None
    coverage: float
    precision: float


class Suspects(Record):
    """Labels that look wrong."""

    words: str
    count: int


class AcceptanceRow(Record):
    """How many pre-annotations of a version were kept as they were."""

    version: str
    accepted: int
    shown: int


class AgreementRow(Record):
    """Cohen's kappa of an annotator, who gave `labels` in all, with the others on `n` tasks in common."""

    annotator: int
    labels: int
    kappa: float | None = None
    n: int


class CurvePoint(Record):
    """Accuracy after so many labels."""

    labels: int
    accuracy: float
    low: float
    high: float


class Advantage(Record):
    """Accuracy over that of labels in random order, after `labels` of each; `shown`: beyond chance.

    `random_now` is what as many random labels as there are now would give. Only words while it is too early.
    """

    words: str
    labels: int | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    shown: bool | None = None
    random_now: Range | None = None


class GainForecast(Record):
    """What the next `labels` buy."""

    words: str
    labels: int
    gain: float | None = None
    low: float | None = None
    high: float | None = None


class AdviceSignal(Record):
    """One reason to stop: its number, the bar, and whether that is reached; None where it is not known."""

    name: SignalName
    value: float | None = None
    bar: float
    reached: bool | None = None
    words: str


class AdviceFigures(Record):
    """What to do next, what it rests on, and what would change it."""

    advice: Advice
    words: str
    would_change: str
    signals: list[AdviceSignal]


class Outlook(Record):
    """What labels bought, beside a random order, what the next would buy, and whether to go on."""

    curve: list[CurvePoint]
    random_curve: list[CurvePoint]
    advantage: Advantage
    forecast: GainForecast
    advice: AdviceFigures


class NoveltyFigures(Record):
    """Tasks that fit no class at the rate `alpha` of false flags; nothing but words while it is too early.

    `flags` are 0 where false alarms explain all of them; `grouped` of them are in the groups that are shown.
    `scores` are the weights of the scores that were added up, `calibration` how many labels set the
    threshold, `source` where those came from. `unanswered`: by label without an answer, how many
    more tasks may be of it.
    """

    words: str
    flags: int
    grouped: int | None = None
    expected_false: float | None = None
    alpha: float
    scores: dict[str, float] | None = None
    calibration: int | None = None
    source: ThresholdSource | None = None
    unanswered: dict[str, int] | None = None


class LiftRow(Record):
    """Accuracy on `audit` real labels with `n` tasks of a generator or slice less accuracy without them."""

    generator: str
    words: str
    mean: float
    low: float
    high: float
    n: int
    audit: int


class GapRow(Record):
    """A class worth `count` more tasks, and real ones to imitate (`examples`: task ids)."""

    label: str
    count: int
    score: float
    reason: str
    examples: list[int]


class ClassRealism(Record):
    """Density and coverage of a class's synthetic tasks among its real ones."""

    label: str
    density: float
    coverage: float


class Realism(Record):
    """How well a classifier tells synthetic tasks from real ones: accuracy `c2st`, 0.5 is chance."""

    words: str
    p_value: float
    c2st: float
    classes: list[ClassRealism]


class SyntheticFigures(Record):
    """Verdicts on synthetic tasks, what they bought, what to make next and what to stop making."""

    words: str
    counts: dict[Verdict, int] = {}
    lift: list[LiftRow] = []
    gaps: list[GapRow] = []
    stop: list[str] = []
    realism: Realism | None = None


class QuestionFigure(Record):
    """One number about the head of a question, with its 95 % range; None where too few blind answers are."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    higher_is_better: bool = True


class QuestionLabelRow(Record):
    """How many answers ticked a label of a question; how many seem to by mistake, and how many to lack it."""

    label: str
    labels: int
    mistaken: int | None = None
    missing: int | None = None


class QuestionFigures(Record):
    """A question that is learned through the table of task types: its answers, and what its head is worth.

    `metric`: what its accuracy is the share of. `figures`: the most telling first. `condition`: where it is
    asked, as it follows "where"; empty where it is asked of every task. `empty`: what leaving it empty says,
    with how many did. `suspects`: answers that look wrong.
    """

    name: str
    kind: str
    metric: str
    labels: int
    blind: int
    condition: str = ""
    empty: str = ""
    figures: list[QuestionFigure] = []
    per_label: list[QuestionLabelRow] = []
    suspects: Suspects | None = None


class QuestionSwitch(Record):
    """A question that the config asks otherwise than when the version before was made.

    `kind_before` and `kind` are empty where it was not asked, or is not any more. `is_shown_otherwise`: under
    other conditions. Of the answers that the
    version before had learned from, `kept` still count, `partly` of these without a label that is gone, and
    `lost` say nothing that this config has: they stay in Label Studio, and count again where it has it again.
    `is_ours`: the question was changed here alone (`classes`), answers and all.
    """

    name: str
    kind_before: str
    kind: str
    is_shown_otherwise: bool
    labels_gone: int
    labels_new: int
    kept: int
    partly: int
    lost: int
    is_ours: bool = False


class KeywordRow(Record):
    """A keyword of a label of a question: how many tasks hold it, and what of it was answered blind.

    `precision`: the share of these `blind` answers that give the label, with its 95 % range; None while there
    are too few.
    """

    question: str
    label: str
    keyword: str
    tasks: int
    blind: int
    precision: float | None = None
    low: float | None = None
    high: float | None = None


class Signals(Whole):
    """What a loop measured of its own project; a part that could not be measured is missing."""

    accuracy: Accuracy | None = None
    rest: RestAccuracy | None = None
    waits: list[Wait] = []
    macro_f1: float | None = None
    per_class: list[ClassRow] = []
    calibration: Calibration | None = None
    trusted: TrustedSuggestions | None = None
    suspects: Suspects | None = None
    acceptance: list[AcceptanceRow] = []
    agreement: list[AgreementRow] = []
    curve: list[CurvePoint] = []
    random_curve: list[CurvePoint] = []
    advantage: Advantage | None = None
    forecast: GainForecast | None = None
    advice: AdviceFigures | None = None
    synthetic: SyntheticFigures | None = None
    novelty: NoveltyFigures | None = None
    questions: list[QuestionFigures] = []
    keywords: list[KeywordRow] = []


class Position(Whole):
    """Where a running loop is: `done` of `total` steps of a stage, since `at` (seconds of the epoch)."""

    stage: str | None = None
    done: int = 0
    total: int | None = None
    at: float | None = None


class Traffic(Record):
    """Calls of Label Studio that wrote something, and the seconds that all calls took."""

    writes: int
    label_studio_seconds: float


class Figures(Whole):
    """Everything that a loop leaves behind: what went in, what it did, what it measured, how long it took.

    `pool`: tasks that wait for their first answer; `unencoded`: tasks whose texts had no vector yet, so that
    they were in no order; the open ones of them are in the pool too. `unread`: those of them that a first
    look left to the next loop.

    `skipped`: tasks that people skipped and nobody answered; `behind`: how many wait behind all others, like
    ones that people skipped; `moved`: how many of the window an admin's priority and quotas brought into it.
    `switched`: what a changed config did to the answers.
    `failed` says which parts could not be measured, and why; `mended` what was put
    right in Label Studio; `lost` how many predictions somebody had deleted; `seconds` are by stage.
    """

    tasks_read: int = 0
    tasks_deleted: int = 0
    encoded: int = 0
    labels: int = 0
    pool: int = 0
    unencoded: int = 0
    unread: int = 0
    fingerprint: str | None = None
    seed: int | None = None
    order_seed: list[int] = []
    code_version: str | None = None
    strategy: str | None = None
    representation: Representation | None = None
    metrics: HeadMetrics | None = None
    window: int = 0
    behind: int = 0
    moved: int | None = None
    skipped: int | None = None
    rejected: list[int] = []
    switched: list[QuestionSwitch] = []
    until_published: Traffic | None = None
    signals: Signals | None = None
    failed: dict[str, str] = {}
    mended: list[str] = []
    lost: int = 0
    writes: int = 0
    label_studio_seconds: float = 0.0
    seconds: dict[str, float] = {}


def _without(stored: Any, paths: Iterable[_Path]) -> Any:
    """A copy without what is deepest on each path; {} when that is the whole."""
    holes = {_reach(stored, path) for path in paths}
    return {} if () in holes else _prune(stored, holes, ())


def _reach(stored: Any, path: _Path) -> _Path:
    """The part of a path that exists: of a field that is missing, the object that lacks it."""
    for depth, step in enumerate(path):
        children = stored if isinstance(stored, dict) else {}
        if isinstance(stored, list):
            children = dict(enumerate(stored))
        if step not in children:
            return path[:depth]
        stored = children[step]
    return path


def _prune(stored: Any, holes: set[_Path], path: _Path) -> Any:
    if isinstance(stored, dict):
        kept = {name: value for name, value in stored.items() if (*path, name) not in holes}
        return {name: _prune(value, holes, (*path, name)) for name, value in kept.items()}
    if isinstance(stored, list):
        places = [place for place in range(len(stored)) if (*path, place) not in holes]
        return [_prune(stored[place], holes, (*path, place)) for place in places]
    return stored
