"""What share of a body's height its parts are: Drillis & Contini 1966, as in Winter 2009, fig. 4.1; joint to joint."""

from __future__ import annotations

THIGH, SHANK, TRUNK = 0.245, 0.246, 0.288
HEEL_BEHIND, HEEL_BELOW = 0.04, 0.039  # of the ankle
