"""Names for the arrays that travel through the package."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Image = NDArray[np.uint8]  # (H, W, 3) RGB or (H, W) gray
FloatMap = NDArray[np.float32]  # (H, W), nan where unknown
Mask = NDArray[np.bool_]  # (H, W)
