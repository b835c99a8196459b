"""What a small network can learn from a large one beside the truth: how likely the wrong classes are.

Works between any two networks that give a score per class, at any sizes: the teacher's map is brought to the
student's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from salticid.engine import packages
from salticid.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from salticid.engine.session import Session

Network = Callable[["Tensor"], "Tensor"]


@dataclass(frozen=True, slots=True)
class Distillation:
    """How much a teacher counts beside the truth."""

    weight: float = 1.0
    temperature: float = 2.0  # above 1 it tells more of the unlikely classes (Hinton et al. 2015)
    channels: float = (
        0.0  # weight of where in the image a class is likely, rather than which class is (Shu et al. 2021)
    )

    def __post_init__(self) -> None:
        if min(self.weight, self.channels) < 0 or self.temperature <= 0:
            raise InputError(f"weights must be at least 0 and the temperature above 0, not {self}")

    def loss(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the loss of student logits (N, C, h, w) beside a teacher's (N, C, H, W)."""
        functional = packages.torch().nn.functional
        teacher = teacher.detach().float()
        if teacher.shape[1] != student.shape[1]:
            raise InputError(f"the teacher knows {teacher.shape[1]} classes and the student {student.shape[1]}")
        if teacher.shape[2:] != student.shape[2:]:
            teacher = functional.interpolate(teacher, size=student.shape[2:], mode="bilinear", align_corners=False)
        student = student.float()
        loss: Tensor = self.weight * self._divergence(student, teacher, axis=1)
        if self.channels:
            loss = loss + self.channels * self._divergence(student.flatten(2), teacher.flatten(2), axis=2)
        return loss

    def _divergence(self, student: Tensor, teacher: Tensor, axis: int) -> Tensor:
        """Return the mean Kullback-Leibler divergence along `axis`, times T^2 so that gradients keep their size."""
        functional = packages.torch().nn.functional
        told = functional.log_softmax(teacher / self.temperature, dim=axis)
        said = functional.log_softmax(student / self.temperature, dim=axis)
        divergence: Tensor = (told.exp() * (told - said)).sum(dim=axis).mean() * self.temperature**2
        return divergence


def ensemble(teachers: Sequence[Network]) -> Network:
    """Return one teacher whose probabilities are the mean of several."""
    if not teachers:
        raise InputError("an ensemble needs at least one teacher")
    torch = packages.torch()

    def ask(image: Tensor) -> Tensor:
        chances = sum(teacher(image).float().softmax(dim=1) for teacher in teachers)
        mean: Tensor = torch.log(chances / len(teachers) + 1e-8)
        return mean

    return ask


def exported_teacher(session: Session) -> Network:
    """Return a teacher that runs an exported file: its first input takes the image, its first output is the logits."""
    torch = packages.torch()

    def ask(image: Tensor) -> Tensor:
        feeds = {session.inputs[0].name: image.detach().float().cpu().contiguous().numpy()}
        logits = session.run(feeds)[session.outputs[0].name]
        answer: Tensor = torch.from_numpy(logits).to(image.device)
        return answer

    return ask
