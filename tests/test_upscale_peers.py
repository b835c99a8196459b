"""The networks that ours is compared with are those of their papers, and what stands around them loses nothing."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from enlarging_net import write_networks

from salticid.errors import MissingError, ResourceError
from salticid.upscale.infer import Upscaler
from salticid.upscale.plan import make_plan

torch = pytest.importorskip("torch", reason="torch is not installed")

NAMES = ["ESPCN", "FSRCNN", "SRVGGNetCompact", "EDSR-baseline"]


@pytest.fixture(scope="module")
def peers(bench):
    return bench("upscale_peers")


@pytest.fixture(scope="module")
def networks(bench):
    return bench("upscale_networks")


@pytest.fixture(scope="module")
def candidates(bench):
    return bench("upscale_candidates")


def weights(net):
    return sum(each.numel() for each in net.parameters())


@pytest.mark.parametrize(
    ("name", "published"), [("ESPCN", 37e3), ("FSRCNN", 25e3), ("SRVGGNetCompact", 1213e3), ("EDSR-baseline", 1518e3)]
)
def test_peers_have_the_published_number_of_parameters(peers, name, published):
    assert weights(peers.PEERS[name].make()) == pytest.approx(published, rel=0.015 if published < 1e5 else 0.0005)


def test_for_luma_fsrcnn_has_the_number_of_weights_of_its_paper(peers):
    net = peers.FSRCNN(colors=1)
    kernels = [layer for layer in net if hasattr(layer, "kernel_size")]
    assert sum(layer.weight.numel() for layer in kernels) == 12_464  # Dong et al. 2016, table 1


def test_edsr_takes_the_published_number_of_products(peers, networks):
    assert networks.products(peers.EDSR(), 320, 180) / 1e9 == pytest.approx(114, rel=0.005)


@pytest.mark.parametrize("name", ["nano", "fast", "quality"])
def test_products_of_ours_are_those_of_its_layers(networks, name):
    shape = networks.Shape.of(name, 4)
    by_hand = sum(9 * inputs * outputs for inputs, outputs in shape.widths())
    assert networks.products(networks.PlainNet(shape), 20, 30) == 20 * 30 * by_hand


@pytest.mark.parametrize("name", NAMES)
def test_random_weights_give_finite_images_four_times_as_large_that_differ_from_place_to_place(peers, name):
    image = torch.rand(1, 3, 20, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        large = peers.settled(peers.PEERS[name].make())(image)
    assert large.shape == (1, 3, 80, 112)
    assert torch.isfinite(large).all()
    assert large.std(dim=(2, 3)).min() > 1e-2


def test_a_peer_in_onnxruntime_makes_the_image_that_torch_makes(peers, networks, candidates, tmp_path):
    path = networks.exported("ESPCN", tmp_path)
    image = candidates.blobs(30, 20)
    found = candidates.Candidate("ESPCN", candidates.PEER, "onnxruntime", "fp32", str(path)).load(1)(image)
    with torch.no_grad():
        large = peers.settled(peers.ESPCN())(torch.from_numpy(image).permute(2, 0, 1)[None] / 255)[0]
    expected = (255 * large).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    assert found.image.shape == (80, 120, 3)
    assert (found.image != expected).mean() < 1e-3
    assert set(found.latency_ms) == {"prepare", candidates.NETWORK, "finish"}


def test_pixels_survive_the_way_to_a_network_and_back(candidates):
    image = np.arange(3 * 256, dtype=np.uint8).reshape(16, 16, 3)
    tensor = candidates.planes(image)
    assert (tensor.shape, tensor.dtype, tensor.min(), tensor.max()) == ((1, 3, 16, 16), np.float32, 0, 1)
    np.testing.assert_array_equal(candidates.pixels(tensor), image)


def test_what_lies_outside_of_black_and_white_is_cut_off(candidates):
    tensor = np.full((1, 3, 2, 2), 7.0, np.float32)
    tensor[:, :, 0] = -7
    assert candidates.pixels(tensor)[:, 0, 0].tolist() == [0, 255]


def test_only_weights_that_have_learned_are_judged(candidates):
    peer = candidates.Candidate("EDSR-baseline", candidates.PEER, "onnxruntime", "fp32")
    assert [one for one in (*candidates.ours(), *candidates.resizes(), peer) if not one.learned] == [peer]


def test_what_is_measured_is_what_the_tables_show(bench, networks, candidates, tmp_path):
    small = networks.exported("ESPCN", tmp_path)  # quick, in the place of the large one
    baseline = candidates.Candidate("SRVGGNetCompact", candidates.PEER, "onnxruntime", "fp32", str(small))
    images = tmp_path / "Set5"
    images.mkdir()
    cv2.imwrite(str(images / "a.png"), candidates.blobs(64, 48))
    own = candidates.Candidate(str(write_networks(tmp_path)[1]), candidates.OURS, *candidates.NATIVE)
    upscale, tables = bench("upscale"), bench("upscale_tables")
    rows = [*networks.networks(upscale.SIZES)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upscale, "SIZES", ((48, 32),))
        patch.setattr(tables, "SHORT", "48x32")
        patch.setattr("upscale_accuracy.DEGRADATIONS", 2)
        rows += upscale.measured([own, baseline, *candidates.resizes()], images, repeats=2)
        told = {"size": "48x32", "model": "nano", "limit_mb": None, "seconds": 0.5, "peak_mb": 60}
        rows.append({"kind": "command"} | told)
        rows.append({"kind": "limit", "what": "RGB to PNG", "limit_mb": 150, "seconds": 0.5, "peak_mb": 120})
        shown = {name: make(json.loads(json.dumps(rows, allow_nan=False))) for name, make in tables.TABLES.items()}
    assert all({len(line) for line in body} == {len(head)} for head, body in shown.values())
    assert [line[:2] for line in shown["upscale_latency"][1]] == [
        ["48x32 to 192x128", name] for name in (f"**{own.name}**", "SRVGGNetCompact", "bicubic", "Lanczos")
    ]
    assert shown["upscale_latency"][1][1][6] == "1.000"
    assert {line[0]: line[2] for line in shown["upscale_short"][1]} == {
        f"**{own.name}**": "-",
        "SRVGGNetCompact": "1213",
        "bicubic": "-",
        "Lanczos": "-",
    }
    assert [line[0] for line in shown["upscale_accuracy"][1]] == [f"**{own.name}**", "bicubic", "Lanczos", "bicubic"]
    assert shown["upscale_accuracy"][0][2:] == ["x2: dB / SSIM", "x4: dB / SSIM"]
    assert [line[1] for line in shown["upscale_degraded"][1]] == ["clean", "-"]
    assert shown["upscale_limits"][1] == [["RGB to PNG", "150", "120", "0.50"]]
    assert len(shown["upscale_networks"][1]) == 4 + len(candidates.NAMES)


def test_a_candidate_that_tells_no_stages_has_none(bench, candidates):
    upscale = bench("upscale")
    run = upscale.Recorded(lambda: {candidates.TOTAL: 1.0})
    for _ in range(3):
        run()
    row = upscale.parts(run)
    assert (row["network_ms"], row["pixels_ms"], row["stage_ms"], row["runs"]) == (None, None, {}, 2)


def test_ours_is_what_a_user_gets_in_the_way_that_the_row_says(candidates, tmp_path):
    _, int8 = write_networks(tmp_path)
    image = candidates.blobs(40, 30)
    large = candidates.Candidate(str(int8), candidates.OURS, "onnxruntime", "int8").load(1)(image)
    np.testing.assert_array_equal(large.image, Upscaler(str(int8))(image, scale=4).image)
    assert large.step == "int8 on cpu"


def test_where_our_way_is_not_possible_no_figure_of_another_stands_for_it(candidates, tmp_path, monkeypatch):
    fp32, _ = write_networks(tmp_path)
    monkeypatch.setattr("salticid.upscale.infer.make_plan", out_of_memory)
    way = candidates.Candidate(str(fp32), candidates.OURS, "onnxruntime", "fp32").load(1)
    with pytest.raises(MissingError, match="fp32 on cpu: no memory is left"):
        way(candidates.blobs(40, 30))


def out_of_memory(outline, engines, **how):
    """Plan bicubic alone."""
    if engines:
        raise ResourceError("no memory is left")
    return make_plan(outline, engines, **how)
