"""What the autoencoder is pre-trained on: simulated persons, and motion capture where there is some.

    pretrain("mocap/", "gait.npz", without=("normal", "elderly"))

The signals are those of run time, computed by the same steps from keypoints that are as noisy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

import numpy as np

from salticid.core.atomic import check_target
from salticid.errors import InputError
from salticid.motion.compare.autoencoder_train import PRETRAIN_EPOCHS, Person, pretrain_network, write_network
from salticid.motion.files.mocap import find_mocap, read_mocap
from salticid.motion.keypoints import Keypoints
from salticid.motion.measure.body import read_body
from salticid.motion.measure.signals import signals_of
from salticid.motion.measured import Signals
from salticid.motion.options import MotionOptions
from salticid.motion.simulate.persons import Asymmetry, GaitStyle, simulate_baseline

PERSONS = 80
CLIPS = 3
SECONDS, FPS = 8.0, 30.0
NOISE_M = (0.008, 0.02)  # of keypoints, each coordinate
TRIES = 20  # some combinations ask for more than the legs can reach

Progress = Callable[[str], None]


def pretrain(
    folder: str | os.PathLike[str] | None,
    output: str | os.PathLike[str],
    *,
    without: Collection[str] = (),
    persons: int = PERSONS,
    epochs: int = PRETRAIN_EPOCHS,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = lambda line: None,
) -> int:
    """Pre-train a network, write it, and return how many persons it has seen.

    Parameters
    ----------
    folder
        With motion capture; None: simulated persons alone.
    output
        The `.npz` file.
    without
        Styles of the motion capture that are kept aside: what the network is to be judged on.
    persons
        That are simulated.

    Raises
    ------
    InputError
        There is no motion capture in `folder`, or `output` cannot be written.
    MissingError
        torch is not installed.
    """
    check_target(output, overwrite=overwrite)
    progress(f"simulating {persons} persons")
    seen = list(simulated_persons(persons, seed))
    if folder is not None:
        seen += recorded_persons(folder, without, seed)
    write_network(output, pretrain_network(seen, epochs=epochs, seed=seed, progress=progress), overwrite=overwrite)
    return len(seen)


def simulated_persons(count: int, seed: int) -> Iterator[Person]:
    """Yield the clips of simulated persons, each of whom walks or runs in one way."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        clips = _simulated(rng)
        yield [noisy_signals(keypoints, rng) for keypoints in clips]


def recorded_persons(folder: str | os.PathLike[str], without: Collection[str], seed: int) -> list[Person]:
    """Return the clips of each movement and style in a folder of motion capture."""
    rng = np.random.default_rng(seed)
    groups: dict[tuple[str, str], list[Signals]] = {}
    for file in find_mocap(folder):
        if file.style not in without:
            signals = noisy_signals(read_mocap(file.path), rng)
            groups.setdefault((file.movement, file.style), []).append(signals)
    return list(groups.values())


def noisy_signals(keypoints: Keypoints, rng: np.random.Generator) -> Signals:
    """Return the signals of keypoints as a pose network would find them."""
    noise_m = rng.uniform(*NOISE_M) * rng.standard_normal(keypoints.positions.shape)
    noisy = replace(keypoints, positions=(keypoints.positions + noise_m).astype(np.float32))
    return signals_of(read_body(noisy, MotionOptions()))


def _simulated(rng: np.random.Generator) -> list[Keypoints]:
    """Return clips of one person, whoever the dice say."""
    for _ in range(TRIES):
        try:
            style, dice = _random_style(rng), int(rng.integers(1 << 31))
            return [motion.keypoints for motion in simulate_baseline(style, CLIPS, seconds=SECONDS, fps=FPS, seed=dice)]
        except InputError:
            continue
    raise InputError(f"{TRIES} random persons in a row cannot be simulated: choose another seed")


def _random_style(rng: np.random.Generator) -> GaitStyle:
    run = rng.random() < 0.4
    speed_kmh = rng.uniform(7.5, 16) if run else rng.uniform(2.5, 6.8)
    plain = GaitStyle(activity="run" if run else "walk", speed_kmh=speed_kmh, height_m=rng.uniform(1.4, 1.95)).filled()
    moved = {
        name: getattr(plain, name) + spread * rng.standard_normal()
        for name, spread in {
            "cadence_spm": 6.0,
            "trunk_lean_deg": 4.0,
            "arm_swing_deg": 5.0,
            "knee_contact_deg": 3.0,
            "knee_swing_deg": 6.0,
            "step_width_m": 0.02,
        }.items()
    }
    asymmetry = Asymmetry(knee_swing_deg=4 * rng.standard_normal(), step_time=0.02 * rng.standard_normal())
    return replace(plain, **moved, asymmetry=asymmetry)
