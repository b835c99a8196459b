from __future__ import annotations

import math

import pytest
import torch
from enlarging_run import pairs, trainer

from salticid.core import atomic
from salticid.errors import InputError, IntegrityError
from salticid.upscale.train import CURVE_FILE, LAST_FILE, WEIGHTS_FILE, Course, cost, enlarged, luma_psnr_db, schedule


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_some_hundred_steps_make_a_better_image_than_repeating_pixels(tmp_path):
    run = trainer(tmp_path, 300, judge_every=150)
    plain = run.train()
    pair = pairs()[0]
    repeated = pair.small.repeat(2, axis=0).repeat(2, axis=1)
    assert luma_psnr_db(enlarged(plain, pair.small), pair.large, 2) > luma_psnr_db(repeated, pair.large, 2) + 2
    assert run.curve[-1].psnr_db > run.curve[0].psnr_db


def test_a_training_that_was_killed_ends_with_the_weights_of_one_that_was_not(tmp_path):
    whole = trainer(tmp_path / "whole", 40).train()
    broken = trainer(tmp_path / "broken", 40)
    with pytest.raises(KeyboardInterrupt):
        broken.train(lambda judged: stop(judged.step))
    resumed = trainer(tmp_path / "broken", 40)
    assert 0 < resumed.step < 40
    for one, other in zip(whole.parameters(), resumed.train().parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert [judged.step for judged in resumed.curve] == [10, 20, 30, 40]
    assert (tmp_path / "broken" / WEIGHTS_FILE).is_file()


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_a_training_that_is_killed_before_any_write_goes_on(tmp_path, monkeypatch, write):
    whole = trainer(tmp_path / "whole", 30).train()
    written = kill_before(write, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "broken", 30).train()
    monkeypatch.undo()
    assert len(written) == write - 1
    resumed = trainer(tmp_path / "broken", 30)
    assert resumed.step == (0 if write <= 2 else 10)
    for one, other in zip(whole.parameters(), resumed.train().parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert [judged.step for judged in resumed.curve] == [10, 20, 30]
    lines = (tmp_path / "broken" / CURVE_FILE).read_text().split()
    assert [line.partition(",")[0] for line in lines] == ["step", "10", "20", "30"]


def kill_before(write, monkeypatch):
    """Let a write to disk, counted from 1, be the end of the process; return the paths of those before."""
    written, real = [], atomic.write_bytes

    def write_bytes(path, data, **how):
        if len(written) == write - 1:
            raise KeyboardInterrupt
        real(path, data, **how)
        written.append(path)

    monkeypatch.setattr(atomic, "write_bytes", write_bytes)
    return written


def stop(step):
    if step == 30:
        raise KeyboardInterrupt


def test_another_training_does_not_go_on_in_a_folder(tmp_path):
    trainer(tmp_path, 20).train()
    with pytest.raises(InputError, match=r"another plan \(other course\)"):
        trainer(tmp_path, 30)


def test_a_state_without_its_curve_is_damage(tmp_path):
    trainer(tmp_path, 20).train()
    (tmp_path / "curve.csv").unlink()
    with pytest.raises(IntegrityError, match="step 20"):
        trainer(tmp_path, 20)
    assert (tmp_path / LAST_FILE).is_file()


def test_a_loss_that_is_no_number_ends_the_training(tmp_path):
    run = trainer(tmp_path, 20)
    run.net.last.bias.data[0] = math.nan
    with pytest.raises(InputError, match="lower the learning rate"):
        run.train()


def test_luma_counts_as_much_as_its_share_and_all_colors_beside_it():
    gray, colored = torch.full((1, 3, 4, 4), 0.1), torch.zeros(1, 3, 4, 4)
    colored[:, 2] = 0.1
    assert cost(gray, color=0.2, squared=False).item() == pytest.approx(0.12)
    assert cost(colored, color=0.2, squared=False).item() == pytest.approx(0.0114 + 0.2 * 0.1 / 3)
    assert cost(gray, color=0.0, squared=True).item() == pytest.approx(10 * 0.01)


def test_the_rate_rises_and_falls():
    rates = [schedule(step, 10_000) for step in range(10_000)]
    assert rates[0] == pytest.approx(1 / 200)
    assert max(rates) > 0.99
    assert rates[-1] == pytest.approx(0.01, rel=0.01)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"rate": 0.0}, {"kernel_rate": math.inf}])
def test_a_course_that_is_none_is_refused(wrong):
    with pytest.raises(InputError):
        Course(**wrong)
