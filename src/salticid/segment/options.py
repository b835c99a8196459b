"""What a user can choose about segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from salticid.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class SegmentOptions(Options):
    """Options of `Segmenter`."""

    engine: Literal["auto", "onnxruntime", "openvino", "torch"] = option(
        "auto", help="who computes; auto: onnxruntime for ONNX files, openvino for its own"
    )
    device: str = option("auto", help="auto, cpu, cuda or cuda:N; one that is named is never replaced")
    threads: int | None = option(None, help="CPU threads (default: all that are ours)", minimum=1, maximum=1024)
    precision: Literal["fp32", "bf16", "fp16"] = option(
        "fp32", help="arithmetic for what the file holds as float32; below fp32: openvino and torch"
    )
    long_side_px: int | None = option(
        None, help="larger images are reduced to this for the network (default: never)", minimum=32, maximum=1 << 20
    )
    tile_px: int | None = option(
        None, help="work in tiles of this side, for images that memory does not hold", minimum=128, maximum=16384
    )

    PROFILES: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "speed": {"long_side_px": 640},
        "quality": {},
        "memory": {"tile_px": 1024},
    }
