"""What became of each clip that was given for a baseline: used, used with a word of warning, or left out and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from salticid.motion.compare.description import cycles_of
from salticid.motion.measured import Measured
from salticid.motion.pose.clip import Clip


@dataclass(frozen=True, slots=True)
class ClipReport:
    """One clip that was given for a baseline."""

    name: str
    digest: str = ""  # blake3 of its bytes, 64 digits; empty where it has no file, or cannot be read
    used: bool = False
    reason: str = ""  # why it was left out; empty when it was used
    warnings: tuple[str, ...] = ()
    source: str = ""  # who found its keypoints: the network and the first digits of its sha256, or a file
    frames: int = 0
    duration_s: float = 0.0
    fps: float = float("nan")
    found_share: float = float("nan")  # of the frames in which the body was found
    strides: int = 0  # or repetitions of an exercise
    view: str = ""
    activity: str = ""
    speed_kmh: float = float("nan")
    own_score: float = float("nan")  # by a baseline of the others

    def left_out(self, reason: str) -> ClipReport:
        """Return the report of this clip as left out."""
        return replace(self, used=False, reason=reason)

    def warned(self, *warnings: str) -> ClipReport:
        """Return the report with more warnings."""
        return replace(self, warnings=(*self.warnings, *warnings))

    def with_measured(self, measured: Measured) -> ClipReport:
        """Return the report with what was measured, as used."""
        return replace(
            self,
            used=True,
            fps=measured.fps,
            duration_s=measured.duration_s,
            strides=len(measured.strides) or cycles_of(measured),
            view=measured.view,
            activity=measured.activity,
            speed_kmh=measured.speed_kmh,
        )


def source_of(clip: Clip) -> str:
    """Return who found a clip's keypoints: the network and the first digits of its sha256, or that a file had them."""
    return clip.source if clip.info is not None else "keypoints of a file"
