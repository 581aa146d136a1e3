"""A release that reads more of a task reads connected projects again, and changes nothing else."""

from sqlalchemy import select, update

from backend.database import Task


def teach_to_read_more(monkeypatch):
    monkeypatch.setattr("backend.workflows.intake.sync.READER", 99)


def answers(bench):
    """What annotators said, by task, as the backend knows it."""
    with bench.context.database.session() as session:
        return {task.task_id: task.answers for task in session.scalars(select(Task))}


def test_every_task_is_read_again_once(trained, monkeypatch):
    assert trained.loop().figures["tasks_read"] < 40
    teach_to_read_more(monkeypatch)
    assert trained.loop().figures["tasks_read"] == 40
    assert trained.loop().figures["tasks_read"] < 40


def test_nothing_is_encoded_trained_or_written_for_it(trained, label_studio, monkeypatch):
    version, window, scores = trained.version, trained.window, trained.scores
    versions = trained.context.registry.versions(trained.project.key)
    trained.loop()
    label_studio.calls.clear()
    teach_to_read_more(monkeypatch)
    report = trained.loop()
    assert (report.outcome, report.version, report.figures["encoded"]) == ("unchanged", version, 0)
    assert (trained.window, trained.scores) == (window, scores)
    assert trained.context.registry.versions(trained.project.key) == versions
    assert label_studio.writes == []


def test_what_the_reader_of_before_left_out_is_known_then(trained, monkeypatch):
    known = answers(trained)
    assert sum(map(bool, known.values())) == 12
    with trained.context.database.session() as session:
        session.execute(update(Task).values(answers=[]))
    trained.loop()
    assert answers(trained) != known
    teach_to_read_more(monkeypatch)
    trained.loop()
    assert answers(trained) == known
