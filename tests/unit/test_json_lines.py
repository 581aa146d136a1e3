"""Lines of `start` and of commands that stay, where the log is JSON."""

import json

import pytest

from backend.start import Stream


@pytest.mark.parametrize(
    ("line", "level"),
    [("stopping", "INFO"), ("Error: a setting is wrong.", "ERROR"), ("To fix it: see README.", "ERROR")],
)
def test_what_is_no_object_becomes_one_with_time_and_level(line, level, capsys):
    Stream("json").say(line, name="web")
    said = json.loads(capsys.readouterr().out)
    assert said.pop("time").endswith("+00:00")
    assert said == {"level": level, "module": "web", "event": line}


def test_what_is_an_object_goes_on_as_it_is(capsys):
    Stream("json").say('{"event": "loop done"}')
    assert capsys.readouterr().out == '{"event": "loop done"}\n'
