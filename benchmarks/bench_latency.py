"""How fast Label Studio's calls are answered: while texts are encoded, while a loop trains, at rest."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import httpx
import torch

from benchmarks.figures import Bench, median, percentile
from benchmarks.probe import Probe
from benchmarks.stage import BenchProject, BenchStage, open_stage
from benchmarks.texts import Text, load_short_texts
from model.encoders.text import TextEncoder, load_text_encoder

TASKS = 10_000
ROUNDS = 6
UNSEEN = 300
WARM_UP = 20
EMBEDDED = 500
MOST_S = 100.0
ANSWER_LIMIT_MS = 100.0
EMBEDDED_LIMIT_MS = 5.0
RATIO_LIMIT = 1.5
ENCODING_STAGE = "encoding texts"


def main() -> None:
    """Run the bench."""
    bench = Bench("latency", "How fast Label Studio's calls are answered")
    bench.say("starting Label Studio and the backend")
    texts = load_short_texts(TASKS)
    with open_stage() as stage:
        bench.say(f"importing {TASKS} tasks")
        project = stage.create_project("Bench latency", texts)
        _while_encoding(bench, stage, project)
        _while_training(bench, project)
        asker = Asker(project)
        _unseen(bench, asker)
        _embedded(bench, asker, texts)
        _all_at_once(bench, asker)
        _while_predicting_unseen(bench, asker)
        asker.close()
    bench.finish()


class Asker:
    """Calls the backend of a project as Label Studio does, over one connection."""

    def __init__(self, project: BenchProject) -> None:
        settings = project.project.settings()
        self.project = project
        self.url = project.backend.url
        self.config = str(settings["label_config"])
        self.reference = read_reference(settings)
        self._client = httpx.Client(trust_env=False, timeout=300.0)

    def predict(self, tasks: Sequence[dict[str, Any]]) -> tuple[float, list[Any]]:
        """Seconds until the whole answer was there, and its results."""
        body = {
            "tasks": list(tasks),
            "project": self.reference,
            "label_config": self.config,
            "params": {"login": None, "password": None, "context": None},
        }
        started = time.perf_counter()
        answer = self._client.post(f"{self.url}/predict", json=body)
        seconds = time.perf_counter() - started
        answer.raise_for_status()
        return seconds, answer.json()["results"]

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()


def read_reference(settings: Any) -> str:
    """What Label Studio calls a project in /setup and /predict."""
    return f"{settings['id']}.{int(datetime.fromisoformat(settings['created_at']).timestamp())}"


def _questions(project: BenchProject) -> dict[str, Callable[[httpx.Client], httpx.Response]]:
    settings = project.project.settings()
    url = project.backend.url
    body = {
        "project": read_reference(settings),
        "schema": settings["label_config"],
        "hostname": "",
        "access_token": "",
        "extra_params": None,
    }
    return {
        "/health": lambda client: client.get(f"{url}/health"),
        "/setup": lambda client: client.post(f"{url}/setup", json=body),
    }


def _while_encoding(bench: Bench, stage: BenchStage, project: BenchProject) -> None:
    bench.say("connecting: the texts are encoded in one process, the web process is asked meanwhile")
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", "connect", str(project.id)],
        cwd=project.backend.folder,
        env=project.backend.web.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    questions = _questions(project)
    probes: list[Probe] = []
    seconds = 0.0
    for line in process.stderr or ():
        if ENCODING_STAGE in line:
            with Probe(questions) as probe:
                started = time.monotonic()
                next(iter(process.stderr or ()), None)  # the next stage, or the end
                seconds = time.monotonic() - started
            probes.append(probe)
    if process.wait() != 0:
        raise RuntimeError(f"connect ended with {process.returncode}")
    bench.add(f"{TASKS:,} short texts encoded by `connect`, meanwhile probed", f"{seconds:.0f} s")
    _report(bench, probes, "while 10,000 tasks are encoded")


def _while_training(bench: Bench, project: BenchProject) -> None:
    questions = _questions(project)
    probes: list[Probe] = []
    for number in range(1, ROUNDS + 1):
        with ExitStack() as asking:
            probe = Probe(questions)
            done = project.label_and_wait(during=lambda: asking.enter_context(probe))  # noqa: B023
        probes.append(probe)
        bench.say(f"loop {number} of {ROUNDS}: {done.version} after {done.loop_done_s:.1f} s")
    project.wait_for_sweep(ROUNDS)
    _report(bench, probes, "while a loop trains")


def _report(bench: Bench, probes: Sequence[Probe], when: str, *, promised: bool = True) -> None:
    for name in ("/health", "/setup"):
        milliseconds = [1000 * s for probe in probes for s in probe.seconds[name]]
        bench.raw[f"{name} {when}, ms"] = milliseconds
        note = f" (median {median(milliseconds):.1f})"
        if not promised:
            bench.add(f"{name} {when}: slowest of {len(milliseconds)}", f"{max(milliseconds):.1f} ms{note}")
            continue
        what = f"{name} {when}: 99th percentile of {len(milliseconds)}"
        p99 = percentile(milliseconds, 99)
        bench.at_most(what, p99, limit=ANSWER_LIMIT_MS, unit="ms", note=note)
    failures = sum(probe.failures for probe in probes)
    bench.check(f"failed answers {when}", str(failures), target="0", reached=failures == 0)


def _unseen(bench: Bench, asker: Asker) -> None:
    bench.say(f"{UNSEEN} unseen texts, one /predict each, in turn with the bare encoder")
    encoder = load_text_encoder(threads=1)
    texts = [text.content for text in load_short_texts(UNSEEN + WARM_UP, skip=TASKS)]
    answered: list[float] = []
    encoded: list[float] = []
    forward: list[float] = []
    for number, text in enumerate(texts):
        answered.append(asker.predict([_task(-number - 1, text)])[0] * 1000)
        # One of the two, never both: the second would find the network in the processor's cache, which the
        # backend's own network has just been driven out of.
        if number % 2:
            encoded.append(_time(encoder, [text]))
        else:
            forward.append(_time_forward(encoder, text))
    answered, encoded, forward = answered[WARM_UP:], encoded[WARM_UP // 2 :], forward[WARM_UP // 2 :]
    bench.raw |= {"unseen /predict, ms": answered, "encoder, ms": encoded, "forward pass, ms": forward}
    bench.add("encoder alone, one short text: forward pass", _spread(forward))
    bench.add("encoder alone, one short text: tokens and forward pass", _spread(encoded))
    bench.add("/predict of one unseen short text", _spread(answered))
    bench.at_most(
        "/predict of an unseen text ÷ the encoder's forward pass, medians",
        median(answered) / median(forward),
        limit=RATIO_LIMIT,
        unit="×",
        note=f" (÷ tokens and forward pass: {median(answered) / median(encoded):.2f}×)",
    )


def _embedded(bench: Bench, asker: Asker, texts: Sequence[Text]) -> None:
    bench.say(f"{EMBEDDED} embedded tasks, one /predict each")
    ids = list(asker.project.texts)
    tasks = [_task(ids[number], asker.project.texts[ids[number]].content) for number in range(EMBEDDED)]
    milliseconds = [asker.predict([task])[0] * 1000 for task in tasks]
    bench.raw["embedded /predict, ms"] = milliseconds
    bench.at_most(
        "/predict of one embedded task, median",
        median(milliseconds),
        limit=EMBEDDED_LIMIT_MS,
        unit="ms",
        note=f" (99th percentile {percentile(milliseconds, 99):.1f})",
    )


def _all_at_once(bench: Bench, asker: Asker) -> None:
    bench.say(f"one /predict of {TASKS} embedded tasks")
    tasks = [_task(number, text.content) for number, text in asker.project.texts.items()]
    with Probe(_questions(asker.project)) as probe:
        seconds, results = asker.predict(tasks)
    bench.at_most(f"/predict of {TASKS:,} embedded tasks in one call", seconds, limit=MOST_S, unit="s")
    versions = {result["model_version"] for result in results}
    whole = len(results) == TASKS and len(versions) == 1
    bench.check("results of that call", f"{len(results):,}", target=f"{TASKS:,}", reached=whole)
    _report(bench, [probe], f"while /predict answers {TASKS:,} embedded tasks", promised=False)


def _while_predicting_unseen(bench: Bench, asker: Asker) -> None:
    bench.say(f"one /predict of {TASKS} unseen tasks: the web process itself encodes")
    texts = load_short_texts(TASKS, skip=TASKS + 1000)
    tasks = [_task(-number - 1, text.content) for number, text in enumerate(texts)]
    with Probe(_questions(asker.project)) as probe:
        seconds, results = asker.predict(tasks)
    filled = sum(bool(result["result"]) for result in results)
    bench.at_most(f"/predict of {TASKS:,} unseen tasks in one call", seconds, limit=MOST_S, unit="s")
    bench.check(
        f"results of that call, {filled:,} of them with a pre-annotation",
        f"{len(results):,}",
        target=f"{TASKS:,}",
        reached=len(results) == TASKS,
    )
    _report(bench, [probe], "while the web process itself encodes 10,000 tasks")


def _task(number: int, text: str) -> dict[str, Any]:
    return {"id": number, "data": {"text": text}, "annotations": [], "predictions": []}


def _time(encoder: TextEncoder, texts: list[str]) -> float:
    started = time.perf_counter()
    encoder.encode(texts)
    return (time.perf_counter() - started) * 1000


def _time_forward(encoder: TextEncoder, text: str) -> float:
    """Milliseconds of the network alone, on tokens made before."""
    tokens = encoder._tokenizer([text], return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        started = time.perf_counter()
        encoder._network(**tokens)
        return (time.perf_counter() - started) * 1000


def _spread(values: Iterable[float]) -> str:
    kept = list(values)
    return f"{median(kept):.1f} ms (99th percentile {percentile(kept, 99):.1f})"


if __name__ == "__main__":
    main()
