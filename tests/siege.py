"""Two machines at work while processes and servers are killed or frozen, and what must be true after each.

Annotators label from the queue all the while. `make bench` does it 200 times, a test a few.
"""

import contextlib
import random
import threading
import time
from dataclasses import dataclass, field

import psycopg

from backend.model_store import open_store
from backend.settings import Settings
from demo.waiting import wait_for
from model.registry import ModelRegistry
from tests.fleet import BACKEND_URL, Host
from tests.served_label_studio import WebProcesses
from tests.topics import topic_of, write_texts

WINDOW = 20
LABELS = 3
# After so many faults it is measured anew how long a loop takes.
MEASURED_EVERY = 10
# How long something stands still: mostly for a moment, sometimes past a lease.
SHORT_S, LONG_S = (0.5, 6.0), (24.0, 28.0)
SHARE_LONG = 0.15
RESTART_S = 1.0
CONVERGED_S = 150.0

_STATE = """
SELECT active_version, lease_owner, (SELECT count(*) FROM hints)
FROM projects
"""


@dataclass
class Seen:
    """What was seen, a line for each fault in `rounds`; `converged_s` of None: not within CONVERGED_S."""

    rounds: list[dict[str, object]] = field(default_factory=list)
    empty_looks: int = 0
    looks: int = 0


class Fleet:
    """Hosts, servers and a connected project, from both sides."""

    def __init__(self, folder, label_studio, database_url, environment, names=("anna", "bert")):
        self.label_studio, self.database_url = label_studio, database_url
        settings = environment | {
            "DATABASE_URL": database_url,
            "LABEL_STUDIO_URL": label_studio.url,
            "LABEL_STUDIO_API_KEY": label_studio.token,
            "RETRAIN_EVERY_LABELS": "1",
            "RETRAIN_EVERY_MINUTES": "1",
            "QUEUE_WINDOW": str(WINDOW),
        }
        self.settings = settings
        self.hosts = [Host(name, folder, settings) for name in names]
        self.folder = folder
        self.project = 0

    @property
    def inside(self):
        return self.label_studio.inside

    def start(self):
        for host in self.hosts:
            host.web.start()
            host.worker.start()
        for host in self.hosts:
            host.wait_until_ready()
        self.inside.serve(BACKEND_URL, WebProcesses([host.url for host in self.hosts]))

    def kill(self):
        for host in self.hosts:
            host.kill()

    def connect(self, texts):
        with self.inside.people():
            self.project = self.inside.add_project(texts=write_texts(texts))
        status, said = self.hosts[0].command("connect", str(self.project))
        assert status == 0, said

    def label(self, count):
        """People answer what the queue serves them."""
        for _ in range(count):
            with self.inside.people():
                task = self.inside.serve_next(self.project)
                if task is None:
                    raise AssertionError("no task is left to label")
                self.inside.annotate(task["id"], topic_of(task["data"]["text"]))

    def query(self, statement):
        with psycopg.connect(
            self.database_url.replace("+psycopg", ""), autocommit=True, connect_timeout=2
        ) as connection:
            connection.execute("SET statement_timeout = '3s'")
            return connection.execute(statement).fetchall()

    def holder(self):
        """The host that runs a loop now, or None."""
        owner = self.query("SELECT lease_owner FROM projects")[0][0]
        return next((host for host in self.hosts if (owner or "").startswith(host.name)), None)

    def version(self):
        """The one that serves, as the database says."""
        return self.query("SELECT active_version FROM projects")[0][0]

    def labels(self):
        """Label by task, as Label Studio has them."""
        with self.inside.people():
            return {
                number: said["result"][0]["value"]["choices"][0]
                for number, task in self.inside.tasks.items()
                for said in task["annotations"]
                if task["project"] == self.project
            }

    def count_lost(self):
        """Labels of Label Studio that are not here, or not so."""
        known = dict(self.query("SELECT task_id, label FROM tasks WHERE label IS NOT NULL"))
        return sum(known.get(task) != label for task, label in self.labels().items())

    def waiting(self):
        """How many tasks without a label have a prediction of the version that orders the queue."""
        with self.inside.people():
            version = self.inside.projects[self.project]["model_version"]
            return sum(
                row["model_version"] == version and not self.inside.tasks[row["task"]]["annotations"]
                for row in self.inside.predictions.values()
            )

    def fault(self):
        """What is not yet as it must be, in a word; empty where all is."""
        try:
            (version, owner, hints), *_ = self.query(_STATE)
            known = dict(self.query("SELECT task_id, label FROM tasks WHERE label IS NOT NULL"))
            places = self.query(f"SELECT task_id FROM window_tasks WHERE version = '{version}'")
        except psycopg.Error as error:
            return f"database: {error}"
        if owner or hints:
            return f"a loop runs or waits: {owner}, {hints} hints"
        if known != self.labels():
            return f"{len(known)} labels here, {len(self.labels())} there"
        with self.inside.people():
            published = self.inside.published(self.project, version)
            names = {self.inside.projects[self.project]["model_version"]}
            names |= {row["title"] for row in self.inside.backends.values()}
        if names != {version}:
            return f"{names} there, {version} here"
        if {row[0] for row in places} != set(published) or len(published) < WINDOW // 2:
            return f"{len(places)} places, {len(published)} predictions"
        if slow := [host.name for host in self.hosts if not host.is_ready()]:
            return f"not ready: {slow}"
        return ""

    def registry(self):
        """The versions, read past every cache."""
        settings = Settings(
            _env_file=None, data_dir=self.folder / "look", model_store=self.settings["MODEL_STORE"]
        )
        return ModelRegistry(open_store(settings), cached=1)

    def torn_versions(self):
        """Versions that can be seen and not read."""
        registry, torn = self.registry(), []
        (key,) = {
            f"{row[0]}-{row[1]}" for row in self.query("SELECT label_studio_id, created_stamp FROM projects")
        }
        for name in registry.versions(key):
            try:
                registry.load(key, name)
                registry.load_record(key, name)
            except ValueError:
                torn.append(name)
        return torn


class Siege:
    """Breaks one thing after the other of a fleet and its servers, at random instants of loops."""

    def __init__(self, fleet, servers, *, seed):
        """`servers` by name, with kill, start, freeze and thaw."""
        self.fleet, self.rng, self.seen = fleet, random.Random(seed), Seen()
        self.targets = dict(servers)
        for host in fleet.hosts:
            self.targets |= {f"web {host.name}": host.web, f"worker {host.name}": host.worker}
        self.over = threading.Event()
        self.loop_s = 0.0

    @contextlib.contextmanager
    def watching(self):
        """Looks at the queue all the while: at every instant a task of the served version waits."""

        def look():
            while not self.over.wait(0.1):
                self.seen.looks += 1
                self.seen.empty_looks += self.fleet.waiting() == 0

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield self
        finally:
            self.over.set()
            watcher.join()

    def break_something(self, name=None, how=None, *, lasts_s=None):
        """One fault and its end; returns what was seen, once all is as it must be or CONVERGED_S are over."""
        name = name or self.rng.choice(sorted(self.targets))
        how = how or self.rng.choice(("kill", "freeze"))
        if len(self.seen.rounds) % MEASURED_EVERY == 0:
            self.loop_s = self._measure_a_loop()
        self.fleet.label(LABELS)
        instant = self.rng.uniform(0.0, self.loop_s)
        time.sleep(instant)  # the random instant is what is tested
        lasted = self._do(self.targets[name], how, lasts_s)
        ended = time.monotonic()
        fault = self._wait()
        took = None if fault else round(time.monotonic() - ended, 2)
        found = {"what": name, "how": how, "at_s": round(instant, 2), "lasted_s": round(lasted, 2)}
        found |= {"converged_s": took, "lost_labels": self.fleet.count_lost()}
        self.seen.rounds.append(found | ({"fault": fault} if fault else {}))
        return self.seen.rounds[-1]

    def _measure_a_loop(self):
        """Seconds from an answer until all that follows from it is done."""
        began = time.monotonic()
        self.fleet.label(LABELS)
        assert not (fault := self._wait()), fault
        return time.monotonic() - began

    def _wait(self):
        """What is still not as it must be; empty where all is."""
        try:
            wait_for(lambda: not self.fleet.fault(), "all is as it must be", timeout_s=CONVERGED_S)
        except TimeoutError:
            return self.fleet.fault()
        return ""

    def _do(self, target, how, lasts_s):
        """How many seconds it lasted."""
        if how == "kill":
            target.kill()
            lasts_s = RESTART_S if lasts_s is None else lasts_s
            time.sleep(lasts_s)
            target.start()
            return lasts_s
        if lasts_s is None:
            bounds = LONG_S if self.rng.random() < SHARE_LONG else SHORT_S
            lasts_s = self.rng.uniform(*bounds)
        target.freeze()
        time.sleep(lasts_s)
        target.thaw()
        return lasts_s
