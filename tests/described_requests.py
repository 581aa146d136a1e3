"""Requests made from the description of our HTTP: right ones, and ones that break some word of it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as seeded
from hypothesis import settings as hypothesis_settings
from requests import Request
from schemathesis import GenerationMode

from tests.description import DESCRIPTION, operations

# How often what is there takes the place of what was drawn: else nearly every request is of no project.
_INFORMED = 0.8
_NOWHERE = "http://127.0.0.1"


@dataclass(frozen=True, slots=True)
class DescribedRequest:
    """One request and the operation it is for; `address` is the path with what follows it."""

    operation: tuple[str, str]
    address: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """What is there: values of parameters and fields by their names, and headers that let one in."""

    values: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)


def draw_requests(known, *, each, seed=0):
    """Requests for every operation: at most `each` that keep to the description, and as many that do not."""
    chance = random.Random(seed)
    schema = schemathesis.openapi.from_dict(DESCRIPTION)
    for found in schema.get_all_operations():
        operation = found.ok()
        name = operation.method.upper(), operation.path
        for mode in _modes(operations()[name]):
            for case in _draw(operation.as_strategy(generation_mode=mode), each, seed):
                yield _request(name, _informed(case, known, chance), known)


def _modes(operation):
    """What takes nothing can be asked in one way only."""
    takes = operation.get("parameters") or operation.get("requestBody")
    return (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if takes else (GenerationMode.POSITIVE,)


def _draw(strategy, count, seed):
    drawn = []

    @seeded(seed)
    @hypothesis_settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(case):
        drawn.append(case)

    keep()
    return drawn[:count]


def _informed(case, known, chance):
    """The case with what is there in most places where something of the same type was drawn."""
    for part in (case.path_parameters, case.query, case.body):
        for name in part if isinstance(part, dict) else ():
            value = known.values.get(name)
            if type(value) is type(part[name]) and chance.random() < _INFORMED:
                part[name] = value
    return case


def _request(name, case, known):
    prepared = Request(**case.as_transport_kwargs(base_url=_NOWHERE)).prepare()
    body = prepared.body or b""
    return DescribedRequest(
        operation=name,
        address=prepared.path_url,
        headers={key: value for key, value in prepared.headers.items() if _can_be_sent(value)}
        | known.headers,
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


def _can_be_sent(value):
    return isinstance(value, str) and value.isascii()
