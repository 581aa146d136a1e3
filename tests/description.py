"""The description of our HTTP, and whether an answer is one that it knows."""

import json
import re
from pathlib import Path

from jsonschema import Draft202012Validator

FILE = Path(__file__).resolve().parents[1] / "backend" / "static" / "openapi.json"
DESCRIPTION = json.loads(FILE.read_text())
_METHODS = {"get", "post", "put", "patch", "delete"}


def operations():
    """Every described operation by its method and its path."""
    return {
        (method.upper(), path): operation
        for path, methods in DESCRIPTION["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    }


def served_operations(app):
    """Method and path of every route but that of files, as a description writes them."""
    return {
        (method, re.sub(r"<(?:int:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def assert_described(method, path, response):
    """The answer has a status, a type and a body that the description names for the operation."""
    described = operations()[method, path]["responses"]
    status = str(response.status_code)
    assert status in described, f"{method} {path} answers {status}: {response.get_data(as_text=True)[:300]}"
    answer = resolve(described[status])
    assert response.mimetype in answer["content"], f"{method} {path} answers {status} as {response.mimetype}"
    for name in answer.get("headers", {}):
        # not for scripts of our own page
        assert name in response.headers or name == "WWW-Authenticate", f"{method} {path} lacks {name}"
    if response.mimetype == "application/json":
        validator(answer["content"]["application/json"]["schema"]).validate(response.get_json())


def resolve(part):
    """What a reference stands for; anything else as it is."""
    if "$ref" not in part:
        return part
    found = DESCRIPTION
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def validator(schema):
    """A judge of values by a schema that may refer to the description's parts."""
    return Draft202012Validator({**schema, "components": DESCRIPTION["components"]})
