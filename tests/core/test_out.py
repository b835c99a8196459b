from __future__ import annotations

import numpy as np
import pytest

from salticid.core.out import check_out
from salticid.errors import InputError


def test_nothing_and_an_array_that_fits_are_taken():
    check_out(None, (2, 3), "labels")
    check_out(np.empty((2, 3), np.uint8), (2, 3), "labels")


@pytest.mark.parametrize("out", [np.empty((3, 2), np.uint8), np.empty((2, 3)), [[0, 0, 0], [0, 0, 0]]])
def test_an_array_that_does_not_fit_is_refused_with_what_would(out):
    with pytest.raises(InputError, match=r"uint8 array \(2, 3\), the size of the labels"):
        check_out(out, (2, 3), "labels")


def test_an_array_that_cannot_be_written_is_refused():
    out = np.empty((2, 3), np.uint8)
    out.flags.writeable = False
    with pytest.raises(InputError, match="cannot be written"):
        check_out(out, (2, 3), "labels")
