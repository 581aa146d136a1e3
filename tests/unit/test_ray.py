"""Encoding on a Ray cluster of two nodes, of which one is killed in the middle."""

from dataclasses import replace

import numpy as np
import pytest

from backend.errors import BadRequest, EncoderUnavailable
from backend.workflows.intake import share
from backend.workflows.intake.batches import encode_next
from model.encoders.hashing import HashingEncoder
from tests.topics import write_texts
from tests.workbench import Workbench

TEXTS = 6400


@pytest.fixture(scope="module")
def ray():
    return pytest.importorskip("ray", reason='needs Ray: pip install "nextlabel[ray]"')


@pytest.fixture
def nodes(ray):
    """A cluster of two nodes with a processor each, and the second of them."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 * 2**20},
    )
    second = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    yield cluster, second
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def encoder():
    """The one that the backend has itself, as the nodes have it by name."""
    return HashingEncoder()


@pytest.fixture
def on_nodes(nodes, make_settings):
    """What the cluster makes of the encoder that needs no network."""
    from backend.encoding.on_ray import RayCluster

    settings = make_settings(ray_address=nodes[0].address, text_encoder="hashing")
    return RayCluster(settings).encoder(None, HashingEncoder().revision)


def test_a_node_that_dies_in_the_middle_costs_no_vector_and_changes_none(nodes, on_nodes):
    cluster, second = nodes
    texts, done = write_texts(TEXTS), []

    def kill_one(count):
        if not done:
            cluster.remove_node(second, allow_graceful=False)
        done.append(count)

    found = on_nodes.encode(texts, progress=kill_one)
    assert np.array_equal(found, HashingEncoder().encode(texts))
    assert sum(done) == TEXTS
    assert on_nodes.dimensions == HashingEncoder().dimensions


@pytest.fixture
def context(make_context, make_settings, nodes):
    """A backend whose batches are encoded by the cluster."""
    address = nodes[0].address
    return make_context(make_settings(ray_address=address, text_encoder="hashing", encode_seconds=0.0))


def test_batches_of_a_project_are_encoded_by_the_cluster(context, app, label_studio, monkeypatch):
    monkeypatch.setattr(share, "BATCH", 100)
    bench = Workbench(context, label_studio, label_studio.add_project(texts=write_texts(400)))
    bench.connect()
    monkeypatch.setattr(HashingEncoder, "encode", lambda *given, **_how: 1 / 0)  # not in this process
    while encode_next(context):
        pass
    workspace = bench.workspace
    assert workspace.batches.count_tasks() == 0
    texts = workspace.tasks.contents_of(sorted(bench.tasks))
    assert workspace.vectors.known(workspace.encoder.revision, texts) == set(texts)


def test_a_node_with_another_encoder_is_no_source_of_vectors(on_nodes):
    with pytest.raises(EncoderUnavailable, match="RayTaskError"):
        replace(on_nodes, revision="another").encode(["a text"])


def test_a_cluster_that_is_away_is_said_with_its_cure(ray, make_settings):
    from backend.encoding.on_ray import RayCluster

    away = RayCluster(make_settings(ray_address="127.0.0.1:1", text_encoder="hashing"))
    with pytest.raises(EncoderUnavailable) as told:
        away.encoder(None, "any").encode(["a text"])
    assert "RAY_ADDRESS" in told.value.hint


def test_an_address_without_ray_is_refused_at_the_start(make_context, make_settings, monkeypatch):
    monkeypatch.setattr("backend.encoding.on_ray.is_installed", lambda: False)
    with pytest.raises(BadRequest, match="RAY_ADDRESS"):
        make_context(make_settings(ray_address="auto"))
