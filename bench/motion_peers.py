"""mediapipe, in an environment of its own: it wants an older numpy, and is no part of salticid.

peer = MediaPipe()                      # made once, below the cache folder, by venv and pip
peer.run("threads", *videos)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

import numpy as np

from salticid.errors import MissingError
from salticid.runtime.cache import default_root

VERSION = "0.10.21"
SCRIPT = Path(__file__).with_name("motion_mediapipe.py")
PATIENCE_S = 900.0


class MediaPipe:
    """The interpreter that has mediapipe."""

    def __init__(self, root: Path | None = None) -> None:
        """Make the environment where it is not there yet; `MissingError` where that fails."""
        folder = (root or default_root() / "peers") / f"mediapipe-{VERSION}"
        self._python = folder / "bin" / "python"
        done = folder / "complete"
        if not done.is_file():
            venv.create(folder, with_pip=True, clear=True)
            self._install(f"mediapipe=={VERSION}", f"av=={version('av')}")
            done.touch()

    def landmarks(self, video: Path, out: Path, *, smooth: bool) -> dict[str, np.ndarray]:
        """Return the landmarks of a video: points (T, 33, 2) px and world_m (T, 33, 3)."""
        self._call("landmarks", str(video), str(out), str(int(smooth)))
        with np.load(out) as found:
            return dict(found)

    def run(self, mode: str, *words: str) -> dict[str, float]:
        """Return the seconds and frames that a run in `mode` tells."""
        told: dict[str, float] = json.loads(self._call(mode, *words).splitlines()[-1])
        return told

    def _call(self, *words: str) -> str:
        command = [str(self._python), str(SCRIPT), *words]
        quiet = os.environ | {"GLOG_minloglevel": "3", "TF_CPP_MIN_LOG_LEVEL": "3"}
        return subprocess.run(
            command,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=PATIENCE_S,
            env=quiet,
        ).stdout

    def _install(self, *packages: str) -> None:
        command = [str(self._python), "-m", "pip", "install", "--quiet", *packages]
        done = subprocess.run(command, stdout=sys.stderr, check=False)
        if done.returncode:
            raise MissingError(
                f"mediapipe {VERSION} cannot be installed: it needs Python 3.9 to 3.12 and a package index"
            )
