"""What every answer of the backend must look like."""

import math
import re

from tests.fake_label_studio import is_valid_prediction

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def form_token(page):
    """The token that the forms of a page carry, from its text."""
    return _TOKEN.search(page).group(1)


def assert_error(response, status, code=None):
    """The answer is an error of this status in our one shape; returns its `error`."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.is_json
    assert set(response.json) == {"error"}
    error = response.json["error"]
    assert set(error) == {"code", "message", "hint"}
    assert all(isinstance(value, str) for value in error.values())
    assert error["code"] and error["message"]
    assert "Traceback" not in error["message"]
    if code is not None:
        assert error["code"] == code
    return error


def assert_predictions(response, count, label_config):
    """As many predictions as tasks, each valid for the config, with a finite score; returns them."""
    assert response.status_code == 200, response.get_data(as_text=True)
    results = response.json["results"]
    assert len(results) == count
    for prediction in results:
        assert set(prediction) == {"result", "score", "model_version"}
        assert isinstance(prediction["model_version"], str)
        assert isinstance(prediction["score"], float) and math.isfinite(prediction["score"])
        assert 0.0 <= prediction["score"] <= 1.0
        assert is_valid_prediction(prediction, label_config)
        assert all(0.0 <= region["score"] <= 1.0 for region in prediction["result"])
    return results
