"""What a user can choose about motion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from salticid.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class MotionOptions(Options):
    """Options of a baseline, and of every clip that is compared with it."""

    model: Literal["blazepose-lite", "blazepose-full", "blazepose-heavy"] = option(
        "blazepose-full", help="the network that finds the body"
    )
    person: Literal["main", "largest", "left", "right"] = option(
        "main", help="whom to follow among several people; main: large and there for long"
    )
    view: Literal["auto", "side", "rear", "front"] = option("auto", help="from where the camera looks")
    activity: Literal["auto", "walk", "run", "exercise"] = option("auto", help="what the person does")
    height_m: float | None = option(
        None, help="the person's height: with it lengths are in meters too", minimum=0.4, maximum=2.8
    )
    least_score: float = option(0.5, help="joints seen less surely than this are not used", minimum=0.0, maximum=1.0)
    method: Literal["statistics", "autoencoder", "ensemble"] = option(
        "statistics", help="what judges a clip: explainable bands, a recurrent network, or both"
    )

    PROFILES: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "speed": {"model": "blazepose-lite"},
        "quality": {},
        "memory": {"model": "blazepose-lite"},
    }
