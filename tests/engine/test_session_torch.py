"""A torch module behind the common interface: used as it is, with nothing of the process left changed."""

from __future__ import annotations

import numpy as np
import pytest

from salticid.engine import packages
from salticid.engine.session import Session
from salticid.errors import InputError, MissingError

X = np.array([[-1.0, 2.0]], np.float32)


@pytest.fixture
def torch(needs):
    needs("torch")
    return packages.torch()


@pytest.fixture
def module(torch):
    """Return a function from the body of forward(x) to a module in evaluation mode."""

    def make(body):
        class Net(torch.nn.Module):
            def forward(self, x):
                return body(x)

        return Net().eval()

    return make


def test_the_inputs_are_what_forward_must_be_given(torch):
    class Net(torch.nn.Module):
        def forward(self, left, right, gain=2.0, **rest):
            return (left - right) * gain

    session = Session(Net().eval(), threads=1)
    assert [spec.name for spec in session.inputs] == ["left", "right"]
    np.testing.assert_array_equal(session.run({"left": X, "right": 2 * X})["output"], -2 * X)


def test_threads_are_set_for_the_run_alone(torch, module):
    seen = []
    session = Session(module(lambda x: seen.append(torch.get_num_threads()) or x), threads=3)
    before = torch.get_num_threads()
    session.run({"x": X})
    assert seen == [3]
    assert torch.get_num_threads() == before


def test_threads_are_restored_when_the_module_fails(torch, module):
    def fail(x):
        raise RuntimeError("no kernel")

    before = torch.get_num_threads()
    with pytest.raises(InputError, match=r"Net does not run in torch on x: float32 \(1, 2\): no kernel"):
        Session(module(fail), threads=before + 1).run({"x": X})
    assert torch.get_num_threads() == before


def test_a_module_that_works_in_place_changes_no_array_and_returns_no_view(module):
    x = X.copy()
    x.flags.writeable = False
    result = Session(module(lambda tensor: tensor.relu_()), threads=1).run({"x": x})["output"]
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(result, [[0, 2]])


def test_no_gradients_are_recorded(torch, module):
    seen = []
    Session(module(lambda x: seen.append(torch.is_grad_enabled()) or x), threads=1).run({"x": X})
    assert seen == [False]


def test_a_mapping_is_returned_by_its_own_names(module):
    net = module(lambda x: {"double": 2 * x, "half": x / 2, "unused": x})
    result = Session(net, threads=1, outputs=["half", "double"]).run({"x": X})
    assert list(result) == ["half", "double"]
    np.testing.assert_array_equal(result["double"], 2 * X)
    with pytest.raises(InputError, match="'double', 'half', 'unused'"):
        Session(net, threads=1, outputs=["third"]).run({"x": X})


def test_several_tensors_want_several_names(module):
    net = module(lambda x: (x, -x))
    with pytest.raises(InputError, match="returns 2 tensors: name them with outputs"):
        Session(net, threads=1).run({"x": X})
    assert list(Session(net, threads=1, outputs=("a", "b")).run({"x": X})) == ["a", "b"]


def test_a_module_in_training_mode_is_refused(module):
    net = module(lambda x: x)
    session = Session(net, threads=1)
    net.train()
    with pytest.raises(InputError, match=r"Net is in training mode: call its eval\(\) first"):
        session.run({"x": X})


def test_a_forward_without_names_is_refused(torch):
    class Net(torch.nn.Module):
        def forward(self, *images):
            return images[0]

    with pytest.raises(InputError, match="give every input a name"):
        Session(Net().eval(), threads=1)


def test_bf16_is_used_when_asked_and_comes_back_as_float32(torch):
    net = torch.nn.Linear(64, 8).eval()
    x = np.random.default_rng(0).random((4, 64), np.float32)
    wide = Session(net, threads=1).run({"input": x})["output"]
    narrow = Session(net, threads=1, precision="bf16").run({"input": x})["output"]
    assert narrow.dtype == np.float32
    assert 0 < np.abs(wide - narrow).max() < 0.05


def test_a_named_device_is_never_replaced(torch, module):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(MissingError, match=r"device='cuda'.*torch sees no GPU"):
        Session(module(lambda x: x), device="cuda", threads=1)
    assert Session(module(lambda x: x), device="cpu", threads=1).device == "cpu"
