from __future__ import annotations

import pytest
import torch
from enlarging_run import pairs

from salticid.engine.weights import read_weights
from salticid.errors import InputError
from salticid.upscale.fit import FLOAT_FILE, INT8_FILE, Plan, begin_from, fit
from salticid.upscale.infer import Upscaler
from salticid.upscale.networks import PlainNet
from salticid.upscale.train import Course, enlarged, luma_psnr_db

SHORT = {"course": Course(steps=60, judge_every=30), "rounded": Course(steps=20, judge_every=10, rate=2e-4)}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Train a small network for seconds, and return its folder and how good it is."""
    folder = tmp_path_factory.mktemp("run")
    plan = Plan("nano", 2, count=4, side=16, **SHORT)
    return folder, fit(plan, pairs(), pairs()[:1], folder)


def test_both_files_are_there_and_as_good_as_was_said(fitted):
    folder, result = fitted
    pair = pairs()[0]
    for file, precision, told in ((FLOAT_FILE, "fp32", result.float_db), (INT8_FILE, "int8", result.int8_db)):
        large = Upscaler(str(folder / file), precision=precision)(pair.small, scale=2).image
        assert luma_psnr_db(large, pair.large, 2) == pytest.approx(told, abs=0.05)
    assert result.int8_db > result.float_db - 1


def test_the_same_call_goes_on_and_here_ends_at_once(fitted):
    folder, result = fitted
    again = fit(Plan("nano", 2, count=4, side=16, **SHORT), pairs(), pairs()[:1], folder)
    assert again == result


def test_a_network_of_another_scale_gives_its_body_to_start_from(fitted):
    folder, _ = fitted
    torch.manual_seed(9)
    net = PlainNet(Plan("nano", 4).shape, branched=True)
    start = PlainNet(Plan("nano", 2).shape)
    start.load_state_dict(read_weights(folder / "float" / "weights.safetensors"))
    begin_from(net, folder / "float" / "weights.safetensors")
    for own, given in zip(net.plain().body, start.body, strict=True):
        torch.testing.assert_close(own.weight, given.weight, rtol=1e-4, atol=1e-5)


def test_a_network_of_other_channels_is_no_start(fitted):
    folder, _ = fitted
    with pytest.raises(InputError, match="layers and channels"):
        begin_from(PlainNet(Plan("fast", 2).shape, branched=True), folder / "float" / "weights.safetensors")


@pytest.mark.parametrize("scale", [2, 4])
def test_a_network_of_the_package_is_a_start(scale):
    torch.manual_seed(3)
    net = PlainNet(Plan("nano", scale).shape, branched=True)
    begin_from(net, f"upscale-nano-x{scale}")
    small = pairs()[0].small
    shipped = Upscaler("nano", precision="fp32")(small, scale=scale).image
    difference = enlarged(net.plain(), small).astype(int) - shipped
    assert abs(difference).max() <= 1


def test_a_file_of_an_earlier_training_is_a_start(fitted):
    folder, _ = fitted
    nets = [PlainNet(Plan("nano", 2).shape, branched=True) for _ in range(2)]
    for net, start in zip(nets, (folder / FLOAT_FILE, folder / "float" / "weights.safetensors"), strict=True):
        begin_from(net, start)
    for one, other in zip(nets[0].plain().parameters(), nets[1].plain().parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_a_network_in_8_bits_is_no_start():
    with pytest.raises(InputError, match="in floating point"):
        begin_from(PlainNet(Plan("nano", 4).shape, branched=True), "upscale-nano-x4-int8")


def test_a_network_of_something_else_is_no_start():
    with pytest.raises(InputError, match="enlarges"):
        begin_from(PlainNet(Plan("nano", 4).shape, branched=True), "fastseg-camvid")
