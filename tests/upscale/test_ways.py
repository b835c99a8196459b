from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from enlarging_net import write_networks

from salticid.errors import InputError, MissingError, ResourceError
from salticid.upscale import engines
from salticid.upscale import ways as module
from salticid.upscale.engines import open_engine
from salticid.upscale.infer import Upscaler
from salticid.upscale.options import UpscaleOptions
from salticid.upscale.outline import Outline
from salticid.upscale.ways import BICUBIC, Ways

SMALL = (40, 30)
FOUR_TIMES = Outline(SMALL, (160, 120))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    for scale in (2, 4):
        write_networks(folder, scale)
    return folder


@pytest.fixture
def stocked(folder, monkeypatch):
    """Let there be clean weights of all sizes for 2 and 4 times, and real ones of `fast` for 4 times."""
    opened = []

    def find(size, weights, precision):
        name = {scale: folder / f"x{scale}{'-int8' if precision == 'int8' else ''}.onnx" for scale in (2, 4)}
        asked = {scale: Path(path) for scale, path in name.items() if weights == "clean" or scale == 4}
        opened.append((size, weights, precision))
        return asked

    monkeypatch.setattr(module, "find_files", find)
    monkeypatch.setattr(
        module, "sizes", lambda weights="clean": ["fast"] if weights == "real" else ["nano", "fast", "quality"]
    )
    return opened


def ways_of(model, target, sixteen=False, **options):
    ways = Ways(model, UpscaleOptions(device="cpu", **options), 1)
    return list(ways.of(Outline(SMALL, target, sixteen=sixteen)))


def test_only_the_first_pass_is_of_real_weights(stocked):
    way = ways_of("fast", (320, 240), weights="real")[0]
    assert [engine.shape.scale for engine in way.open()] == [4, 2]
    assert {(size, weights) for size, weights, _ in stocked} == {("fast", "real"), ("fast", "clean")}


def test_weights_that_a_size_does_not_have_are_refused_with_those_that_there_are(stocked):
    with pytest.raises(InputError, match="no nano with weights='real': choose fast"):
        Ways("nano", UpscaleOptions(weights="real"), 1)


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({}, ["int8 on cpu", "fp32 on cpu"]),
        ({"sixteen": True}, ["fp32 on cpu"]),
        ({"precision": "fp32"}, ["fp32 on cpu"]),
    ],
)
def test_8_bits_come_before_floating_point_but_for_images_of_16(stocked, options, steps):
    assert [way.step for way in ways_of("nano", (160, 120), **options)] == steps


def test_bicubic_is_the_last_way_unless_a_device_was_named(stocked, monkeypatch):
    monkeypatch.setattr(module.hardware, "gpus", lambda: ())
    ways = Ways("nano", UpscaleOptions(), 1)
    assert [way.model for way in ways.of(FOUR_TIMES)] == ["nano", "nano", BICUBIC]


def test_a_gpu_is_tried_with_small_tiles_before_the_cpu_is(stocked, monkeypatch):
    monkeypatch.setattr(module.hardware, "gpus", lambda: ("a GPU",))
    ways = list(Ways("nano", UpscaleOptions(), 1).of(FOUR_TIMES))
    assert [(way.step, way.tile_px) for way in ways] == [
        ("fp32 on cuda", None),
        ("fp32 on cuda, tiles of 192 px", 192),
        ("int8 on cpu", None),
        ("fp32 on cpu", None),
        ("bicubic", None),
    ]
    chosen = Ways("nano", UpscaleOptions(tile_px=64, device="cuda"), 1)
    assert [way.tile_px for way in chosen.of(FOUR_TIMES)] == [None]


def test_an_image_that_a_gpu_does_not_hold_goes_through_it_in_small_tiles(folder, monkeypatch):
    class SmallGpu:
        def __init__(self, path, options, *, device, threads):
            self._plain = open_engine(path, options, device="cpu", threads=threads)
            self.shape, self.takes_16_bits = self._plain.shape, True
            self.bytes_per_pixel = self._plain.bytes_per_pixel

        def __call__(self, rgb):
            if max(rgb.shape) > 192 + 2 * self.shape.halo:
                raise ResourceError("the GPU is out of memory")
            return self._plain(rgb)

    monkeypatch.setattr(module, "open_engine", SmallGpu)
    image = np.random.default_rng(0).integers(0, 256, (300, 210, 3), np.uint8)
    path = str(folder / "x2.onnx")
    found = Upscaler(path, device="cuda")(image, scale=2)
    assert found.step == "fp32 on cuda, tiles of 192 px"
    assert [skip.step for skip in found.skipped] == ["fp32 on cuda"]


@pytest.mark.parametrize(
    ("seconds", "best"), [((9, 0.5, 0.1), "fast"), ((0.9, 0.5, 0.1), "quality"), ((9, 9, 9), "nano")]
)
def test_auto_is_the_best_that_takes_a_second(stocked, monkeypatch, seconds, best):
    taken = dict(zip(("quality", "fast", "nano"), seconds, strict=True))
    ways = Ways("auto", UpscaleOptions(device="cpu"), 1)
    monkeypatch.setattr(ways, "_seconds_of", lambda files: taken[stocked[-1][0]] / (SMALL[0] * SMALL[1]))
    assert next(ways.of(FOUR_TIMES)).model == best


def test_auto_leaves_it_to_the_ladder_to_say_that_no_network_can_be_opened(stocked, monkeypatch):
    def missing(*_, **__):
        raise MissingError("no engine here")

    monkeypatch.setattr(module, "open_engine", missing)
    [first, *_] = ways_of("auto", (160, 120))
    assert first.model == "nano"
    with pytest.raises(MissingError):
        first.open()


def test_a_network_is_opened_once(stocked):
    ways = Ways("fast", UpscaleOptions(device="cpu"), 1)
    (one, _), (other, _) = (list(ways.of(FOUR_TIMES)) for _ in range(2))
    assert one.open()[0] is other.open()[0]


def test_seconds_count_every_pass_by_the_pixels_that_it_takes(stocked, monkeypatch):
    monkeypatch.setattr(module, "_probed", lambda engine: 1.0)
    ways = Ways("fast", UpscaleOptions(device="cpu"), 1)
    opened = next(ways.of(Outline(SMALL, (320, 240)))).open()
    assert ways.seconds_per_pixel(opened) == 1 + opened[0].shape.scale ** 2
    assert ways.seconds_per_pixel([]) != ways.seconds_per_pixel([])  # nan


def test_the_files_of_networks_are_looked_up_once(stocked):
    ways = Ways("fast", UpscaleOptions(device="cpu"), 1)
    for _ in range(3):
        list(ways.of(FOUR_TIMES))
    assert len(stocked) == len(set(stocked))


def test_auto_counts_the_network_that_16_bits_need(stocked, monkeypatch):
    ways = Ways("auto", UpscaleOptions(device="cpu"), 1)
    monkeypatch.setattr(ways, "_seconds_of", lambda files: 0.0)
    list(ways.of(Outline(SMALL, (160, 120), sixteen=True)))
    assert {precision for _, _, precision in stocked} == {"fp32"}


def test_a_file_computes_in_what_it_is(folder):
    assert ways_of(str(folder / "x4.onnx"), (160, 120))[0].step == "fp32 on cpu"
    for options in ({"precision": "int8"}, {"weights": "real"}):
        with pytest.raises(InputError, match=r"the other file|leave it out"):
            Ways(str(folder / "x4.onnx"), UpscaleOptions(**options), 1)


@pytest.mark.parametrize("precision", ["int8", "auto"])
def test_16_bits_in_a_network_of_8_are_refused_with_what_to_do(stocked, folder, precision):
    with pytest.raises(InputError, match="give the file in floating point"):
        ways_of(str(folder / "x4-int8.onnx"), (160, 120), sixteen=True, precision=precision)[0].open()
    with pytest.raises(InputError, match="leave precision and engine to 'auto'"):
        ways_of("fast", (160, 120), sixteen=True, engine="native")[0].open()


@pytest.mark.parametrize("options", [{"device": "cuda"}, {"precision": "fp32"}])
def test_the_native_kernel_is_not_replaced_where_it_was_named(options):
    with pytest.raises(InputError, match="engine='native' computes in 8 bits on the CPU"):
        UpscaleOptions(engine="native", **options)


def test_a_native_kernel_that_was_named_and_is_not_built_is_the_reason_that_is_told(stocked, monkeypatch):
    monkeypatch.setattr(engines.native, "load", lambda: None)
    monkeypatch.setattr(engines.native, "reason", lambda: "no compiler")
    [way] = ways_of("fast", (160, 120), engine="native")
    with pytest.raises(MissingError, match="no compiler"):
        way.open()
