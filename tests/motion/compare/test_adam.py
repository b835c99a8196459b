"""Our Adam takes the very steps of torch's, and does not bring the compiler along."""

from __future__ import annotations

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="it is an optimizer for torch")

from salticid.motion.compare.adam import Adam  # noqa: E402 - needs torch


def trained(make_optimizer):
    """Return a small network after 30 steps."""
    torch.manual_seed(0)
    network, inputs = torch.nn.GRU(3, 4, batch_first=True), torch.randn(8, 5, 3)
    optimizer = make_optimizer(network.parameters())
    for _ in range(30):
        optimizer.zero_grad()
        ((network(inputs)[0] - 0.5) ** 2).mean().backward()
        optimizer.step()
    return network.state_dict()


def test_its_steps_are_those_of_torch():
    with torch.random.fork_rng():
        ours, theirs = trained(lambda them: Adam(them, 0.01)), trained(lambda them: torch.optim.Adam(them, 0.01))
    for name, values in theirs.items():
        torch.testing.assert_close(ours[name], values, rtol=1e-5, atol=1e-6)


def test_a_parameter_without_a_gradient_stays():
    still = torch.ones(3, requires_grad=True)
    Adam([still], 0.1).step()
    assert still.tolist() == [1, 1, 1]


def test_the_compiler_is_not_loaded():
    code = (
        "import sys, torch; from salticid.motion.compare.adam import Adam; "
        "Adam([torch.ones(1, requires_grad=True)], 1).step(); "
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
