"""What a user can choose about enlarging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from salticid.core.options import Options, option
from salticid.errors import InputError


@dataclass(frozen=True, kw_only=True)
class UpscaleOptions(Options):
    """Options of `Upscaler`."""

    strength: float = option(1.0, help="how much of what the network adds to bicubic is kept", minimum=0, maximum=1)
    weights: Literal["clean", "real"] = option(
        "clean", help="clean for images as they were made small; real for blurred, noisy and compressed ones"
    )
    precision: Literal["auto", "int8", "fp32"] = option(
        "auto", help="arithmetic; auto: int8 on a CPU, fp32 on a GPU and for images of 16 bits"
    )
    engine: Literal["auto", "native", "onnxruntime"] = option(
        "auto", help="who computes; auto: the native kernel for int8 where it is built, else onnxruntime"
    )
    device: str = option("auto", help="auto, cpu, cuda or cuda:N; one that is named is never replaced")
    threads: int | None = option(None, help="CPU threads (default: all that are ours)", minimum=1, maximum=1024)
    tile_px: int | None = option(
        None, help="largest side of a tile of the image, px (default: by memory)", minimum=16, maximum=1 << 16
    )
    max_memory_mb: int | None = option(
        None, help="what this process may take while it works, MB (default: what is free)", minimum=64, maximum=1 << 30
    )

    PROFILES: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "speed": {},
        "quality": {},
        "memory": {"tile_px": 128},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.engine == "native" and (self.precision == "fp32" or self.device not in ("auto", "cpu")):
            raise InputError(
                f"engine='native' computes in 8 bits on the CPU, not with precision={self.precision!r} and "
                f"device={self.device!r}: use engine='onnxruntime'"
            )
