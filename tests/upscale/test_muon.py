from __future__ import annotations

import pytest
import torch

from salticid.upscale.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 30), (30, 8), (16, 16)])
def test_all_directions_become_about_equally_strong(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    strengths = torch.linalg.svdvals(orthogonal(matrix))
    assert strengths.min() > 0.5
    assert strengths.max() < 1.3


def test_directions_stay_what_they_were():
    u, _ = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(1)))
    v, _ = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(2)))
    found = u.T @ orthogonal(u @ torch.diag(torch.linspace(0.5, 2, 6)) @ v.T) @ v
    assert (found - torch.diag(found.diag())).abs().max() < 1e-4


def test_it_finds_the_kernel_of_a_convolution():
    torch.manual_seed(0)
    truth, kernel = torch.randn(4, 3, 3, 3), torch.nn.Parameter(torch.zeros(4, 3, 3, 3))
    optimizer = Muon([kernel], lr=0.1)
    for step in range(200):
        image = torch.randn(2, 3, 8, 8)
        loss = (torch.nn.functional.conv2d(image, kernel) - torch.nn.functional.conv2d(image, truth)).square().mean()
        kernel.grad = None
        loss.backward()
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 200)
        optimizer.step()
    assert (kernel - truth).abs().mean() < 0.05
