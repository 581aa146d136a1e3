"""The manifests fit Kubernetes' own schema, each other, and the backend."""

import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from backend.huey_queue import STOP_S
from backend.settings import Settings
from tests.dockerfile import read_dockerfile

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS = [
    found for name in KUSTOMIZATION["resources"] for found in yaml.safe_load_all((FOLDER / name).read_text())
]
DEPLOYMENTS = {found["metadata"]["name"]: found for found in OBJECTS if found["kind"] == "Deployment"}
VERSIONS = ("1.29", "1.34")


def named(found):
    return f"{found['kind']}-{found['metadata']['name']}"


def of_kind(kind):
    return [found for found in OBJECTS if found["kind"] == kind]


def pod(name):
    return DEPLOYMENTS[name]["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("found", OBJECTS, ids=named)
def test_a_manifest_fits_the_schema_without_a_word_too_many(found, version):
    kubernetes_validate.validate(found, version, strict=True)


def test_every_file_of_the_folder_is_used():
    used = {*KUSTOMIZATION["resources"], "kustomization.yaml"}
    used |= {name for maker in KUSTOMIZATION["configMapGenerator"] for name in maker["envs"]}
    assert {path.name for path in FOLDER.iterdir()} == used


def test_selectors_find_the_pods_that_they_are_for():
    pods = [deployment["spec"]["template"]["metadata"]["labels"] for deployment in DEPLOYMENTS.values()]
    selectors = [found["spec"]["selector"] for found in of_kind("Service")]
    selectors += [found["spec"]["selector"]["matchLabels"] for found in of_kind("PodDisruptionBudget")]
    selectors += [found["spec"]["podSelector"]["matchLabels"] for found in of_kind("NetworkPolicy")]
    selectors += [found["spec"]["selector"]["matchLabels"] for found in DEPLOYMENTS.values()]
    for selector in selectors:
        assert len([labels for labels in pods if selector.items() <= labels.items()]) == 1
    for kind in ("PodDisruptionBudget", "NetworkPolicy"):
        assert {found["metadata"]["name"] for found in of_kind(kind)} == set(DEPLOYMENTS)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_has_no_rights_and_bounds_and_the_time_to_end(name):
    spec = pod(name)
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] and spec["automountServiceAccountToken"] is False
    user = next(step for step in read_dockerfile() if step.text.startswith("useradd"))
    assert f"--uid {spec['securityContext']['runAsUser']} " in user.text
    security = container["securityContext"]
    assert security["capabilities"]["drop"] == ["ALL"] and security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert "memory" in container["resources"]["limits"] and "cpu" in container["resources"]["requests"]
    assert spec["terminationGracePeriodSeconds"] > STOP_S
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert {volume["name"] for volume in spec["volumes"]} == set(mounts)
    assert {"/data", "/tmp", "/models"} == set(mounts.values())
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in spec["volumes"]
        if len(volume) > 1 and "persistentVolumeClaim" in volume
    ]
    assert claims == [found["metadata"]["name"] for found in of_kind("PersistentVolumeClaim")]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_runs_a_command_of_ours_in_the_image_that_is_named(name):
    (container,) = pod(name)["containers"]
    assert container["args"][:3] == ["python", "-m", "backend"]
    assert container["image"] in {image["name"] for image in KUSTOMIZATION["images"]}
    assert [entry for source in container["envFrom"] for entry in source.values()] == [
        {"name": "nextlabel"}
    ] * 2


def test_probes_ask_a_route_that_needs_no_log_in(client):
    (container,) = pod("nextlabel-web")["containers"]
    (port,) = container["ports"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["port"] == port["name"] and client.get(asked["path"]).status_code == 200
    (service,) = of_kind("Service")
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]


def test_settings_exist_and_no_secret_is_among_them(make_settings):
    lines = (FOLDER / "settings.env").read_text().splitlines()
    given = {name.lower(): value for name, _, value in (line.partition("=") for line in lines)}
    secret = {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    assert not set(given) & (secret | {"database_url", "redis_url"})
    settings = make_settings(**given)
    assert settings.backend_url == "http://" + of_kind("Service")[0]["metadata"]["name"]
    made = (FOLDER / "kustomization.yaml").read_text()
    for name in ("LABEL_STUDIO_API_KEY", "BASIC_AUTH_PASS", "SECRET_KEY", "DATABASE_URL", "REDIS_URL"):
        assert f"--from-literal={name}=" in made


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on this machine")
def test_kubectl_builds_them():
    done = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    kinds = sorted(found["kind"] for found in yaml.safe_load_all(done.stdout))
    assert kinds == sorted([*(found["kind"] for found in OBJECTS), "ConfigMap"])
