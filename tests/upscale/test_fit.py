from __future__ import annotations

import pytest
import torch
from enlarging_run import pairs

from salticid.engine.weights import read_weights, write_weights
from salticid.errors import InputError, MissingError
from salticid.upscale.fit import FLOAT_FILE, INT8_FILE, Listener, Plan, begin_from, fit
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


def lines(folder, plan, learned=None):
    """Train, and return what is said."""
    said = []
    fit(plan, learned or pairs(), pairs()[:1], folder, listener=Listener(said.append))
    return said


def test_where_a_training_goes_on_is_said(fitted):
    folder, _ = fitted
    said = lines(folder, Plan("nano", 2, count=4, side=16, **SHORT))
    assert said == ["in floating point, going on after step 60", "with the rounding of 8 bits, going on after step 20"]


@pytest.mark.parametrize(("other", "what"), [({"seed": 1}, "seed"), ({"start": "upscale-nano-x2"}, "start")])
def test_another_seed_or_start_is_another_training(fitted, other, what):
    folder, _ = fitted
    with pytest.raises(InputError, match=rf"another plan \(other {what}\)"):
        lines(folder, Plan("nano", 2, count=4, side=16, **SHORT, **other))


def test_other_images_are_another_training_though_they_are_as_many(fitted):
    folder, _ = fitted
    with pytest.raises(InputError, match=r"another plan \(other images\)"):
        lines(folder, Plan("nano", 2, count=4, side=16, **SHORT), pairs()[::-1])


def test_a_start_is_known_by_its_weights_and_said_only_when_it_begins(fitted, tmp_path):
    weights = read_weights(fitted[0] / "float" / "weights.safetensors")
    here, there = tmp_path / "here.safetensors", tmp_path / "there.safetensors"
    for path in (here, there):
        write_weights(path, weights)
    course = Course(steps=2)
    plans = [Plan("nano", 2, count=1, side=16, course=course, rounded=course, start=path) for path in (here, there)]
    begun, resumed = (lines(tmp_path / "run", plan) for plan in plans)
    assert begun[0] == f"starts from {here}: {fitted[1].float_db:.3f} dB"
    assert resumed[0] == "in floating point, going on after step 2"
    write_weights(there, {name: tensor + 1 for name, tensor in weights.items()})
    with pytest.raises(InputError, match=r"other start\)"):
        lines(tmp_path / "run", plans[1])


def test_a_device_that_is_not_here_is_told_before_a_folder_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MissingError, match="--device cpu"):
        fit(Plan("nano", 2, side=16), pairs(), [], tmp_path / "run", device="cuda")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("lacking", ["last.weight", "last.bias", "body.0.bias"])
def test_a_file_that_lacks_weights_is_no_start(fitted, tmp_path, lacking):
    weights = read_weights(fitted[0] / "float" / "weights.safetensors")
    del weights[lacking]
    write_weights(tmp_path / "part.safetensors", weights)
    with pytest.raises(InputError, match="layers and channels"):
        begin_from(PlainNet(Plan("nano", 2).shape, branched=True), tmp_path / "part.safetensors")


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
    starts = (folder / FLOAT_FILE, folder / "float" / "last.safetensors", folder / "float" / "weights.safetensors")
    found = []
    for start in starts:
        net = PlainNet(Plan("nano", 2).shape, branched=True)
        begin_from(net, start)
        found.append(net.plain())
    for one, same, other in zip(*(net.parameters() for net in found), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(same, other, rtol=1e-5, atol=1e-6)


def test_a_network_in_8_bits_is_no_start():
    with pytest.raises(InputError, match="in floating point"):
        begin_from(PlainNet(Plan("nano", 4).shape, branched=True), "upscale-nano-x4-int8")


def test_a_network_of_something_else_is_no_start():
    with pytest.raises(InputError, match="enlarges"):
        begin_from(PlainNet(Plan("nano", 4).shape, branched=True), "fastseg-camvid")
