"""Training a network that enlarges, so that it can be killed at any moment and goes on where it was.

    trainer = Trainer(PlainNet(shape, branched=True), crops, judged, "run/", Course(steps=50_000))
    trainer.train(print)

What is learned from is the mean absolute error, of luma above all, and at the end its square, which is what PSNR is
made of. What is kept is a moving average of the weights.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from salticid.core import atomic, metrics
from salticid.core.color import rgb_to_y
from salticid.core.plain import to_json
from salticid.core.types import Image
from salticid.engine.weights import read_state, write_weights
from salticid.errors import InputError, IntegrityError
from salticid.upscale.crops import Crops, to_tensor
from salticid.upscale.data import Pair
from salticid.upscale.muon import Muon

LAST_FILE, WEIGHTS_FILE, CURVE_FILE = "last.safetensors", "weights.safetensors", "curve.csv"
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
WARMUP_STEPS = 200
LEAST_RATE = 0.01  # of the highest, at the end
SQUARES = 10.0  # squared errors of this weight are about as large as absolute ones


@dataclass(frozen=True, slots=True)
class Course:
    """How long a network learns, and how fast."""

    steps: int = 50_000
    rate: float = 2e-3  # the highest of the schedule, for all but kernels
    kernel_rate: float = 0.006  # likewise for kernels
    squared: float = 0.1  # share of the steps, the last ones, that learn from squares
    color: float = 0.2  # weight of all colors beside luma
    average: float = 0.999  # of the moving average of the weights
    judge_every: int = 1000  # steps
    save_seconds: float = 60.0  # between two states on disk

    def __post_init__(self) -> None:
        if self.steps < 1 or self.judge_every < 1:
            raise InputError(f"steps and judge_every must be at least 1, not {self.steps} and {self.judge_every}")
        for name in ("rate", "kernel_rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} must be above 0, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Judged:
    """How good the averaged weights are after some steps."""

    step: int
    loss: float  # mean since the last time
    psnr_db: float  # of luma, mean over the images to judge by; nan where there are none
    seconds: float  # since the last time


class Trainer:
    """One training.

    Parameters
    ----------
    net
        A PlainNet or RoundedNet; trained in place.
    crops
        What to learn from.
    judged
        Pairs to judge by.
    folder
        Where states, weights and the curve are written; a state found there goes on.
    course
        How long and how fast.
    facts
        What JSON can say, to be written beside the weights. A training goes on only where they are the same.
    device
        "cpu", "cuda", "cuda:1".

    Raises
    ------
    InputError
        The folder holds another training.
    IntegrityError
        What the folder holds is damaged.
    """

    def __init__(
        self,
        net: nn.Module,
        crops: Crops,
        judged: Sequence[Pair],
        folder: str | Path,
        course: Course,
        *,
        facts: Mapping[str, Any] | None = None,
        device: str = "cpu",
    ) -> None:
        self.net = net.to(device)
        self.average = copy.deepcopy(_plain(self.net)).to(device)
        self.step, self.curve = 0, list[Judged]()
        self._crops, self._judged, self._course, self._device = crops, judged, course, device
        self._folder = atomic.make_folder(folder)
        self._plan = json.loads(to_json({**(facts or {}), "course": asdict(course)}))
        self._optimizers = _optimizers(self.net, course)
        self._resume()

    def train(self, told: Callable[[Judged], None] = lambda judged: None) -> nn.Module:
        """Train what is left of the steps, and return the averaged weights as a network to be used.

        Raises
        ------
        InputError
            The loss is no number any more.
        ResourceError
            The disk is full; the last state that was written is still there.
        """
        losses: list[Tensor] = []
        began = saved = time.monotonic()
        while self.step < self._course.steps:
            losses.append(self._one_step())
            ended = self.step == self._course.steps
            if not ended and self.step % self._course.judge_every:
                continue
            self.curve.append(self._judge(float(torch.stack(losses).mean()), time.monotonic() - began))
            told(self.curve[-1])
            losses, began = [], time.monotonic()
            if ended or began - saved > self._course.save_seconds:
                self._save()
                saved = began
        plain = self.average.cpu().train(False)
        write_weights(self._folder / WEIGHTS_FILE, plain.state_dict(), self._plan)
        return plain

    def _judge(self, loss: float, seconds: float) -> Judged:
        if not math.isfinite(loss):
            raise InputError(f"the loss is {loss} at step {self.step}: lower the learning rate")
        net: Any = self.average
        scale = net.shape.scale
        found = [luma_psnr_db(enlarged(net, pair.small), pair.large, scale) for pair in self._judged]
        return Judged(self.step, loss, float(np.mean(found)) if found else math.nan, seconds)

    def _one_step(self) -> Tensor:
        course = self._course
        small, large = self._crops.batch(self.step)
        missed = self.net(small.to(self._device)) - large.to(self._device)
        loss = cost(missed, color=course.color, squared=self.step >= (1 - course.squared) * course.steps)
        self.net.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["highest"] * schedule(self.step, course.steps)
            optimizer.step()
        self.step += 1
        keep = min(course.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), _folded(self.net), 1 - keep)
        return loss.detach()

    def _save(self) -> None:
        """Write the curve, then the state: killed in between, what is in the curve beyond the state is left out."""
        text = io.StringIO()
        rows = [["step", "loss", "psnr_db", "seconds"], *(asdict(one).values() for one in self.curve)]
        csv.writer(text).writerows(rows)
        atomic.write_bytes(self._folder / CURVE_FILE, text.getvalue().encode())
        tensors = {f"net.{name}": tensor for name, tensor in self.net.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        for which, optimizer in enumerate(self._optimizers):
            for number, state in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{which}.{number}.{name}": tensor for name, tensor in state.items()}
        write_weights(self._folder / LAST_FILE, tensors, {"plan": self._plan, "step": self.step})

    def _resume(self) -> None:
        """Take over the state in the folder, if there is one."""
        file, curve = self._folder / LAST_FILE, self._folder / CURVE_FILE
        if not file.is_file():
            return
        tensors, facts = read_state(file)
        theirs = facts.get("plan") if isinstance(facts, dict) else None
        if theirs != self._plan:
            raise InputError(
                f"{self._folder} holds a training of another plan ({_differing(self._plan, theirs)}): choose another "
                "folder, or give its own"
            )
        self.step = facts["step"]
        self.net.load_state_dict(_below(tensors, "net."))
        self.average.load_state_dict(_below(tensors, "average."))
        for which, optimizer in enumerate(self._optimizers):
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in _below(tensors, f"optimizer.{which}.").items():
                number, _, part = name.partition(".")
                state.setdefault(int(number), {})[part] = tensor
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
        rows = list(csv.reader(curve.read_text().splitlines()))[1:] if curve.is_file() else []
        self.curve = [Judged(int(step), *map(float, rest)) for step, *rest in rows if int(step) <= self.step]
        if not self.curve or self.curve[-1].step != self.step:
            raise IntegrityError(f"{curve} does not reach step {self.step} of the state: start in a new folder")


def averaged(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the averaged weights out of the state of a training; what is no state, as it is."""
    return _below(tensors, "average.") or tensors


def cost(missed: Tensor, *, color: float, squared: bool) -> Tensor:
    """Return what errors (N, 3, H, W) of values of 0 to 1 cost: absolute ones, or their squares."""
    luma = (missed * missed.new_tensor(LUMA)[:, None, None]).sum(dim=1)
    if squared:
        return SQUARES * (luma.square().mean() + color * missed.square().mean())
    return luma.abs().mean() + color * missed.abs().mean()


def schedule(step: int, steps: int) -> float:
    """Return the learning rate of a step as a share of the highest: a short rise, then half a cosine."""
    fall = LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * step / steps)) / 2
    return min(1.0, (step + 1) / WARMUP_STEPS) * fall


def enlarged(net: nn.Module, small: Image) -> Image:
    """Return what a network makes of an image, rounded to uint8."""
    device = next(net.parameters()).device
    with torch.no_grad():
        large = net(to_tensor(small[None]).to(device))[0]
    return np.asarray((large * 255).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy())


def luma_psnr_db(image: Image, truth: Image, scale: int) -> float:
    """Return the PSNR of luma without a border as wide as the scale, as super-resolution is judged."""
    return metrics.psnr_db(rgb_to_y(image), rgb_to_y(truth), crop=scale)


def _optimizers(net: nn.Module, course: Course) -> list[torch.optim.Optimizer]:
    """Return Muon for the kernels of all layers but the last, and Adam for the rest."""
    body: Any = getattr(net, "body", ())
    kernels = [parameter for layer in body for parameter in layer.parameters() if parameter.ndim == 4]
    known = {id(parameter) for parameter in kernels}
    rest = [parameter for parameter in net.parameters() if id(parameter) not in known]
    found: list[torch.optim.Optimizer] = [torch.optim.Adam(rest, lr=course.rate, betas=(0.9, 0.99))]
    if kernels:
        found.append(Muon(kernels, lr=course.kernel_rate))
    for optimizer in found:
        for group in optimizer.param_groups:
            group["highest"] = group["lr"]
    return found


def _differing(ours: dict[str, Any], theirs: Any) -> str:
    """Return in what another plan differs, by name."""
    known = theirs if isinstance(theirs, dict) else {}
    return f"other {', '.join(name for name in {**ours, **known} if ours.get(name) != known.get(name))}"


def _plain(net: Any) -> nn.Module:
    plain: nn.Module = net.plain()
    return plain


def _folded(net: Any) -> list[Tensor]:
    tensors: list[Tensor] = net.folded()
    return tensors


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
