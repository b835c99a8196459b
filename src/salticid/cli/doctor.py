"""`salticid doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from salticid.cli.flags import with_output
from salticid.cli.output import Output

# What a package is for, and the extra that brings it (none: it is required).
PACKAGES = {
    "numpy": ("arrays", None),
    "opencv-python-headless": ("image files, OpenCV's matchers", None),
    "onnxruntime": ("networks", None),
    "openvino": ("networks, often faster on Intel and AMD CPUs", "openvino"),
    "torch": ("training", "train"),
    "av": ("video", "video"),
    "scipy": ("measuring motion", "motion"),
    "pyarrow": ("tables as Parquet", "parquet"),
    "huggingface_hub": ("models from the Hugging Face hub", "hub"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis."""

    what: str
    state: Literal["ok", "missing"]
    detail: str
    advice: str = ""


@with_output
def doctor(*, out: Output) -> None:
    """Tell what works here: CPUs, memory, SIMD, kernels, engines, models, cache; and what to do about the rest."""
    findings = [*_machine(), _kernels(), *_packages(), _gpu(), *_stores()]
    rows = [(finding.what, finding.state, finding.detail) for finding in findings]
    out.table("this machine", ("what", "state", "detail"), rows)
    for finding in findings:
        if finding.advice:
            out.say(f"{finding.what}: {finding.advice}")
    out.result([asdict(finding) for finding in findings])


def _machine() -> Iterator[Finding]:
    import salticid
    from salticid.runtime import hardware

    yield Finding("salticid", "ok", f"{salticid.__version__}, Python {platform.python_version()}, {sys.platform}")
    sets = ", ".join(hardware.instruction_sets()) or "no SIMD that salticid knows"
    yield Finding("CPU", "ok", f"{hardware.cpu_model()}, {hardware.cpu_count()} usable, {sets}")
    total, free = hardware.total_memory() / 1e9, hardware.available_memory() / 1e9
    yield Finding("memory", "ok", f"{total:.1f} GB, {free:.1f} GB free for this process")


def _kernels() -> Finding:
    from salticid.core import native

    sets = native.instruction_sets()
    if sets:
        return Finding("native kernels", "ok", ", ".join(sets))
    return Finding("native kernels", "missing", "OpenCV and numpy do the work", native.reason())


def _packages() -> Iterator[Finding]:
    from importlib import metadata

    for name, (purpose, extra) in PACKAGES.items():
        try:
            yield Finding(name, "ok", f"{metadata.version(name)}: {purpose}")
        except metadata.PackageNotFoundError:
            source = f"salticid[{extra}]" if extra else name
            yield Finding(name, "missing", purpose, f"pip install '{source}'")


def _gpu() -> Finding:
    from salticid.runtime import hardware

    gpus = [f"{gpu.name}, {gpu.memory_bytes / 1e9:.0f} GB" for gpu in hardware.gpus()]
    return Finding(
        "GPU", "ok" if gpus else "missing", "; ".join(gpus) or "none found; everything here runs without one"
    )


def _stores() -> Iterator[Finding]:
    from salticid.engine import models
    from salticid.engine.cards import cards
    from salticid.runtime.cache import default_root

    states = [models.state(card) for card in cards().values()]
    here = sum(state.status == "ready" for state in states)
    yield Finding("models", "ok", f"{here} of {len(states)} on this machine: salticid models list")
    yield Finding("cache", "ok", str(default_root()))
