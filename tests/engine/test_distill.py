"""A teacher that agrees costs nothing, whatever its size; one that does not pulls."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from salticid.engine.distill import Distillation, ensemble, exported_teacher
from salticid.errors import InputError


def logits(seed=0, size=(6, 8)):
    return torch.randn(2, 5, *size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("channels", [0.0, 1.0])
def test_a_teacher_that_says_the_same_costs_nothing(channels):
    assert float(Distillation(channels=channels).loss(logits(), logits())) == pytest.approx(0, abs=1e-5)


def test_the_loss_is_the_divergence_of_the_softened_probabilities():
    student, teacher, temperature = logits(0), logits(1), 3.0
    p, q = (x.double().div(temperature).softmax(dim=1).numpy() for x in (teacher, student))
    expected = temperature**2 * (p * np.log(p / q)).sum(axis=1).mean()
    assert float(Distillation(temperature=temperature).loss(student, teacher)) == pytest.approx(expected, rel=1e-4)


def test_a_step_along_the_gradient_comes_nearer_to_the_teacher():
    student, teacher = logits(0).requires_grad_(), logits(1)
    before = Distillation(channels=0.5).loss(student, teacher)
    before.backward()
    with torch.no_grad():
        assert Distillation(channels=0.5).loss(student - student.grad, teacher) < before


def test_a_teacher_of_another_size_is_brought_to_the_students():
    smooth = torch.linspace(0, 1, 5)[None, :, None, None]
    assert float(Distillation().loss(smooth.expand(1, 5, 4, 4), smooth.expand(1, 5, 16, 8))) == pytest.approx(
        0, abs=1e-6
    )


def test_a_teacher_of_other_classes_is_refused():
    with pytest.raises(InputError, match="5 classes"):
        Distillation().loss(torch.zeros(1, 4, 2, 2), torch.zeros(1, 5, 2, 2))


def test_an_ensemble_gives_the_mean_of_the_probabilities():
    image = torch.zeros(1)
    teachers = [lambda _: logits(0), lambda _: logits(1)]
    mean = (logits(0).softmax(dim=1) + logits(1).softmax(dim=1)) / 2
    assert torch.allclose(ensemble(teachers)(image).softmax(dim=1), mean, atol=1e-5)
    with pytest.raises(InputError, match="at least one"):
        ensemble([])


def test_an_exported_file_can_teach(tmp_path):
    from salticid.engine.export_onnx import export_onnx
    from salticid.engine.session import Session

    net = torch.nn.Conv2d(3, 4, 1)
    export_onnx(net, tmp_path / "net.onnx", input_shape=(1, 3, 8, 8))
    teacher = exported_teacher(Session(tmp_path / "net.onnx", threads=1))
    image = torch.randn(2, 3, 16, 8)
    assert torch.allclose(teacher(image), net(image), atol=1e-5)


@pytest.mark.parametrize("wrong", [{"weight": -1.0}, {"temperature": 0.0}, {"channels": -0.5}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        Distillation(**wrong)
