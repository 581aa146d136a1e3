"""Names of people are asked for where somebody answered whose name is not known, and only then."""

from backend.workflows.loop import run_loop
from backend.workflows.project.lease import lease
from backend.workflows.project.progress import Silent

ASKING = "asking for names of people"


class Stages(Silent):
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def stage(self, name, *, total=None):
        self.told.append(name)


def stages_of(bench):
    stages = Stages()
    with lease(bench.workspace):
        run_loop(bench.workspace, reason="test", progress=stages)
    return stages.told


def test_names_are_asked_for_once(workbench, label_studio):
    label_studio.keep_real_time()
    workbench.connect()
    workbench.label(2)
    assert ASKING in stages_of(workbench)
    workbench.label(2)
    told = stages_of(workbench)
    assert "drawing the map" in told and not any("names" in stage for stage in told)


def test_nobody_is_asked_for_where_nobody_answered(workbench):
    workbench.connect()
    assert workbench.project.people == {}
    workbench.label_studio.add_tasks(workbench.project_id, [{"text": "one more"}])
    assert ASKING not in stages_of(workbench)
