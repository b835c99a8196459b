from __future__ import annotations

import errno
import sys
import weakref

import cv2
import numpy as np
import pytest

from salticid.core.atomic import replacing
from salticid.errors import InputError, IntegrityError, MissingError, ResourceError
from salticid.runtime.ladder import Skip, Step, descend, is_out_of_memory


def fail(error):
    raise error


def caught(work):
    """Return what `work` raises."""
    with pytest.raises(BaseException) as info:
        work()
    return info.value


def lookalike(name, module, base=Exception):
    """Return an exception class as another package would define it."""
    return type(name, (base,), {"__module__": module})


def test_the_first_step_that_works_is_taken_and_named():
    landing = descend([Step("gpu", lambda: 1), Step("cpu", lambda: 2)])
    assert (landing.value, landing.step, landing.skipped) == (1, "gpu", ())


def test_steps_below_the_one_that_worked_are_never_run():
    ran = []
    descend([Step("a", lambda: ran.append("a")), Step("b", lambda: ran.append("b"))])
    assert ran == ["a"]


def test_each_step_down_is_told_with_its_reason_and_logged(caplog):
    landing = descend(
        [
            Step("cuda", lambda: fail(MissingError("no CUDA device: choose device='cpu'"))),
            Step("whole", lambda: fail(MemoryError())),
            Step("tiled", lambda: fail(ResourceError("needs 3 GB\nand more"))),
            Step("small", lambda: "done"),
        ]
    )
    assert (landing.value, landing.step) == ("done", "small")
    assert landing.skipped == (
        Skip("cuda", "no CUDA device: choose device='cpu'"),
        Skip("whole", "MemoryError"),
        Skip("tiled", "needs 3 GB"),
    )
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    assert "whole was not possible (MemoryError)" in caplog.text


def test_when_no_step_is_left_the_error_lists_every_step_and_reason():
    with pytest.raises(ResourceError, match=r"cuda: no device; cpu: MemoryError.*smaller input"):
        descend([Step("cuda", lambda: fail(MissingError("no device"))), Step("cpu", lambda: fail(MemoryError()))])


@pytest.mark.parametrize(
    "error",
    [
        InputError("image is out of memory.png"),
        IntegrityError("sha256 of a file called bad_alloc"),
        ValueError("out of memory"),
        KeyError("out of memory"),
        RuntimeError("shape mismatch"),
        ZeroDivisionError(),
        OSError(errno.ENOSPC, "No space left on device"),
        KeyboardInterrupt(),
        SystemExit(1),
    ],
)
def test_whatever_is_no_shortage_passes_through_as_it_is(error):
    ran = []
    assert caught(lambda: descend([Step("a", lambda: fail(error)), Step("b", lambda: ran.append(1))])) is error
    assert ran == []


def test_the_memory_of_a_failed_step_is_free_before_the_next_one_starts():
    held, errors = [], []

    def greedy():
        array = np.zeros(1000)
        cycle = [array]
        cycle.append(cycle)
        held.append(weakref.ref(array))
        try:
            raise MemoryError
        except MemoryError as error:
            errors.append(error)  # as a future or a logger would
            raise RuntimeError("CUDA out of memory") from error

    def modest():
        return held[0]() is None

    assert descend([Step("greedy", greedy), Step("modest", modest)]).value
    assert errors


def test_torch_gives_back_what_it_keeps_on_a_gpu_and_is_not_imported_for_it(monkeypatch):
    emptied = []

    class Cuda:
        is_initialized = staticmethod(lambda: True)
        empty_cache = staticmethod(lambda: emptied.append(1))

    monkeypatch.setitem(sys.modules, "torch", type("Torch", (), {"cuda": Cuda}))
    descend([Step("a", lambda: fail(MemoryError())), Step("b", lambda: None)])
    assert emptied == [1]


def test_a_ladder_without_steps_is_an_input_error():
    with pytest.raises(InputError, match="one step"):
        descend([])


def test_what_numpy_and_opencv_raise_for_too_large_an_array_is_out_of_memory():
    assert is_out_of_memory(caught(lambda: np.empty((1 << 24, 1 << 24), np.uint8)))
    assert is_out_of_memory(caught(lambda: cv2.resize(np.ones((9, 9), np.uint8), (1 << 20, 1 << 20))))
    assert not is_out_of_memory(caught(lambda: cv2.resize(np.ones((9, 9), np.uint8), (0, 0))))


def test_what_torch_raises_for_too_large_a_tensor_is_out_of_memory():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    assert is_out_of_memory(caught(lambda: torch.empty(1 << 48)))
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        lookalike("OutOfMemoryError", "torch", RuntimeError)("x"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
        RuntimeError("Exception from src/inference: std::bad_alloc"),
        RuntimeError("[GPU] out of GPU memory while allocating"),
        lookalike("RuntimeException", "onnxruntime.capi.onnxruntime_pybind11_state")(
            "Non-zero status code returned. Failed to allocate memory for requested buffer of size 9"
        ),
        lookalike("Fail", "onnxruntime.capi")("Available memory of 100 is smaller than requested bytes of 200"),
    ],
)
def test_every_library_has_its_own_words_for_out_of_memory(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        lookalike("Fail", "onnxruntime.capi")("Load model failed: no such file"),
        lookalike("error", "cv2")("(-215:Assertion failed) !ssize.empty()"),
        RuntimeError("index out of range"),
        MissingError("the model is missing"),
    ],
)
def test_other_errors_of_the_same_libraries_are_not(error):
    assert not is_out_of_memory(error)


def test_a_full_disk_is_as_full_one_step_below(tmp_path):
    def write():
        with replacing(tmp_path / "large.png"):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ResourceError, match="the disk is full"):
        descend([Step("whole", write), Step("tiles", lambda: pytest.fail("was tried again"))])


def test_what_is_missing_everywhere_is_missing_and_no_shortage_of_memory():
    steps = [Step(name, lambda: fail(MissingError("no GPU here"))) for name in ("cuda", "cuda in tiles")]
    with pytest.raises(MissingError, match=r"^no way is left \(cuda, cuda in tiles: no GPU here\)$"):
        descend(steps)


def test_the_advice_of_the_caller_ends_the_message():
    with pytest.raises(ResourceError, match=r"\): write a \.png$"):
        descend([Step("cpu", lambda: fail(MemoryError()))], advice="write a .png")
