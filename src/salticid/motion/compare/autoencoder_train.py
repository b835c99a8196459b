"""Teach the autoencoder what strides look like, then tune it to one person.

    network = pretrain_network(persons, epochs=30, seed=0)     # minutes: many persons' clips
    tuned = fine_tune(clips, read_network(path))                # a second: five clips of one

Pre-training sees each person around that person's own mean and spread, as a baseline does, now and then without the
signals that a side or a rear view lacks. Fine-tuning moves the decoder alone: every layer of the encoder stays as it
is. Windows never reach across clips; what a clip is judged by has never seen a window of it.
"""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from salticid.core.atomic import write_bytes
from salticid.core.files import read_bytes
from salticid.core.types import Array
from salticid.engine import models, packages
from salticid.engine.export_onnx import export_onnx
from salticid.errors import IntegrityError
from salticid.motion.compare.autoencoder import (
    INPUT,
    OUTPUT,
    SIGNALS,
    Autoencoder,
    clip_score,
    network_inputs,
    person_scale,
    signal_errors,
)
from salticid.motion.compare.windows import FRAMES, clip_windows
from salticid.motion.files.array_file import from_npz, to_npz
from salticid.motion.measured import Signals

if TYPE_CHECKING:
    from torch import Tensor

    from salticid.motion.compare.autoencoder_network import GaitAutoencoder

MODEL = "gait-autoencoder"  # the name of its card
MOST_BYTES = 1 << 24  # of a file with a network, which has 0.1 MB

EPOCHS = 4
STEP = 5  # frames between the windows that it is tuned on
BATCH = 64
LEARNING_RATE = 1e-3
PRETRAIN_EPOCHS = 30
PRETRAIN_RATE = 2e-3

FRONTAL = frozenset({"trunk_sway", "step_width", "pelvic_drop.left"})  # what a side view does not tell
VIEW_SHARE = {"side": 0.35, "rear": 0.15}  # of the windows in pre-training that lack what such a view lacks

Person = Sequence[Signals]  # clips of one person doing one movement in one way
Progress = Callable[[str], None]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: for layers this small, several wait for each other most of the time."""
    torch = packages.torch()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fine_tune(clips: Person, network: GaitAutoencoder, *, epochs: int = EPOCHS, seed: int = 0) -> Autoencoder:
    """Return a network tuned to the clips of one person, as ONNX.

    Raises
    ------
    MissingError
        torch or onnx is not installed.
    """
    scale, known = person_scale(clips)
    tuned = _tuned(network, [network_inputs(_windows(clip), scale, known) for clip in clips], epochs, seed)
    return Autoencoder(known, scale, to_onnx_bytes(tuned))


def tuned_scorer(
    clips: Person, network: GaitAutoencoder, *, epochs: int = EPOCHS, seed: int = 0
) -> Callable[[Signals], float]:
    """Return what scores clips by a network tuned to some, in torch; nothing is exported."""
    torch = packages.torch()
    scale, known = person_scale(clips)
    tuned = _tuned(network, [network_inputs(_windows(clip), scale, known) for clip in clips], epochs, seed)

    def score(signals: Signals) -> float:
        inputs = network_inputs(clip_windows(signals, SIGNALS), scale, known)
        if not len(inputs):
            return float("nan")
        with torch.no_grad(), one_thread():
            rebuilt = tuned(torch.from_numpy(inputs)).numpy()
        return clip_score(signal_errors(rebuilt, inputs))

    return score


@one_thread()
def pretrain_network(
    persons: Sequence[Person],
    *,
    epochs: int = PRETRAIN_EPOCHS,
    seed: int = 0,
    progress: Progress = lambda line: None,
) -> GaitAutoencoder:
    """Return a network that has seen the strides of many persons; the same one for the same seed.

    Raises
    ------
    MissingError
        torch is not installed.
    """
    torch = packages.torch()
    inputs = torch.from_numpy(np.concatenate([_person_inputs(person) for person in persons]))
    rng = np.random.default_rng(seed)
    network = _new_network(seed)
    optimizer = torch.optim.Adam(network.parameters(), PRETRAIN_RATE)
    batches = len(range(0, len(inputs), BATCH))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2 * PRETRAIN_RATE, total_steps=epochs * batches)
    for epoch in range(epochs):
        losses = []
        for rows in np.array_split(rng.permutation(len(inputs)), batches):
            losses.append(_step(network, _seen_by_a_camera(inputs[rows], rng), optimizer))
            schedule.step()
        progress(f"epoch {epoch + 1} of {epochs}: error {np.mean(losses):.3f}")
    return network.train(False)


def write_network(path: str | os.PathLike[str], network: GaitAutoencoder, *, overwrite: bool = False) -> None:
    """Write the weights, 16 bits each, as an `.npz` file."""
    weights = {name: values.detach().numpy().astype(np.float16) for name, values in network.state_dict().items()}
    write_bytes(path, to_npz({**weights, "signals": np.array(SIGNALS)}), overwrite=overwrite)


def read_network(path: str | os.PathLike[str]) -> GaitAutoencoder:
    """Return the network that `write_network` wrote.

    Raises
    ------
    InputError
        The file cannot be read.
    IntegrityError
        It is damaged, or is of another network.
    MissingError
        torch is not installed.
    """
    torch = packages.torch()
    data, name = read_bytes(path, max_bytes=MOST_BYTES)
    arrays = from_npz(data, name)
    if arrays.pop("signals", np.array([])).tolist() != list(SIGNALS):
        raise IntegrityError(f"{path} is no network of the signals that are measured now: train it again")
    network = _new_network(0)
    try:
        network.load_state_dict({name: torch.from_numpy(values.astype(np.float32)) for name, values in arrays.items()})
    except RuntimeError as problem:
        raise IntegrityError(f"{path} holds another network: {problem}") from problem
    return network.train(False)


def shipped_network() -> GaitAutoencoder:
    """Return the pre-trained network in the package."""
    return read_network(models.find(MODEL))


def to_onnx_bytes(network: GaitAutoencoder) -> bytes:
    """Return a network as an ONNX file, compared with it on the way."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "autoencoder.onnx"
        shape = (2, FRAMES, 2 * len(SIGNALS))
        export_onnx(network, path, input_shape=shape, input_name=INPUT, output_names=(OUTPUT,), classes=False)
        return path.read_bytes()


def _new_network(seed: int) -> GaitAutoencoder:
    torch = packages.torch()
    from salticid.motion.compare.autoencoder_network import GaitAutoencoder

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GaitAutoencoder(len(SIGNALS))


def _windows(clip: Signals) -> Array:
    return clip_windows(clip, SIGNALS, step=STEP)


def _person_inputs(person: Person) -> Array:
    scale, known = person_scale(person)
    return np.concatenate([network_inputs(_windows(clip), scale, known) for clip in person])


@one_thread()
def _tuned(network: GaitAutoencoder, clips: Sequence[Array], epochs: int, seed: int) -> GaitAutoencoder:
    """Return a copy of `network` whose decoder has learned the clips' windows.

    The encoder does not change, so what it says of each window is worked out once.
    """
    torch = packages.torch()
    from salticid.motion.compare.adam import Adam

    tuned = copy.deepcopy(network).train(True)
    inputs = torch.from_numpy(np.concatenate(clips))
    with torch.no_grad():
        codes = tuned.encode(inputs)
    learning = [*tuned.decoder.parameters(), *tuned.output.parameters()]
    optimizer = Adam(learning, LEARNING_RATE)
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(inputs)), max(1, len(inputs) // BATCH)):
            _step(tuned, inputs[rows], optimizer, codes[rows])
    return tuned.train(False)


def _step(network: GaitAutoencoder, inputs: Tensor, optimizer: object, codes: Tensor | None = None) -> float:
    """Take one step of an optimizer and return the error before it."""
    from salticid.motion.compare.autoencoder_network import squared_error

    optimizer.zero_grad()  # type: ignore[attr-defined]  # of torch, which has no types here
    loss = squared_error(network(inputs) if codes is None else network.decode(codes), inputs)
    loss.backward()  # type: ignore[no-untyped-call]  # of torch, which has no types here
    optimizer.step()  # type: ignore[attr-defined]  # of torch, which has no types here
    return float(loss.detach())


def _seen_by_a_camera(inputs: Tensor, rng: np.random.Generator) -> Tensor:
    """Return windows of which some lack what a side or a rear view does not show."""
    torch = packages.torch()
    frontal = np.array([name in FRONTAL for name in SIGNALS])
    chance = rng.random(len(inputs))[:, None]
    side, rear = chance < VIEW_SHARE["side"], chance > 1 - VIEW_SHARE["rear"]
    seen = ~(side & frontal) & ~(rear & ~frontal)
    kept = torch.from_numpy(np.tile(seen, 2)[:, None].astype(np.float32))
    return cast("Tensor", inputs * kept)
