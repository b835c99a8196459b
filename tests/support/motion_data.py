"""Where the videos and the motion capture are, on machines that have them."""

from __future__ import annotations

import os
from pathlib import Path

MOTION = Path(os.environ.get("SALTICID_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "motion"
MOCAP = MOTION / "mocap_walk"
