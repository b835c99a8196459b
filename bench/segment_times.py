"""What every network takes in every engine, all in turns, beside `documented` with its labels from the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

import cv2
from segment_candidates import CORE, END_TO_END, Candidate, How, Network, candidates
from stereo_candidates import Row, digits, statistics

from salticid.core import native
from salticid.core.types import Image
from salticid.engine import bench
from salticid.errors import MissingError

WARMUP = 2
PROBED = 10**9  # products
GMAC_PER_S = 1e3  # 10^9 products in a millisecond

BASELINE = "FastSegNet documented"
ENGINES = (("onnxruntime", "fp32"), ("openvino", "fp32"), ("openvino", "bf16"))  # after the first: ours alone


def times(
    networks: Sequence[Network], gmac: dict[str, float], image: Image, threads: int, repeats: int
) -> Iterator[Row]:
    """Yield a row for each network, engine and part, and one for each engine that is absent.

    Parameters
    ----------
    gmac
        Of every network at the size of `image`, by its name.
    """
    cv2.setNumThreads(threads)
    runs, absent = start(networks, image, threads)
    yield from absent
    bench.compare({run.name: run.run for run in runs}, warmup=WARMUP, repeats=repeats)
    [baseline] = [run for run in runs if is_baseline(run)]
    peak = peak_gmac_per_s(threads)
    for run in runs:
        yield time_row(run, threads) | beside(run, baseline) | speed(run, gmac[run.network.name], peak)


def start(networks: Sequence[Network], image: Image, threads: int) -> tuple[list[Candidate], list[Row]]:
    """Load every network in every engine that it is compared in; return what runs, and which engines do not and why."""
    runs: list[Candidate] = []
    absent: list[Row] = []
    for engine, precision in ENGINES:
        how = How(engine, precision, threads)
        chosen = [network for network in networks if network.everywhere or engine == ENGINES[0][0]]
        try:
            runs += [run for network in chosen for run in candidates(network, how, image)]
        except MissingError as error:
            where = {"engine": engine, "precision": precision, "threads": threads}
            absent.append({"kind": "absent", "network": "FastSegNet", **where, "reason": str(error)})
    return runs, absent


def time_row(run: Candidate, threads: int) -> Row:
    """Return what one candidate took, and its stages."""
    stages = run.run.stage_ms[WARMUP:]
    stage_ms = {stage: digits(median(each[stage] for each in stages)) for stage in stages[0]}
    row = {"kind": "time", "network": run.network.name, "classes": run.network.classes, "part": run.part}
    row |= {"engine": run.how.engine, "precision": run.precision, "threads": threads}
    return row | statistics(run.run.total_ms[WARMUP:]) | {"stage_ms": stage_ms}


def is_baseline(run: Candidate) -> bool:
    """Return whether all are compared with this one."""
    return run.network.name == BASELINE and run.part == END_TO_END and (run.how.engine, run.how.precision) == ENGINES[0]


def beside(run: Candidate, baseline: Candidate) -> Row:
    """Return the ratio of the medians; only what ends with labels is compared."""
    if run.part != END_TO_END:
        return {}
    return {"of_documented": digits(median(run.run.total_ms[WARMUP:]) / median(baseline.run.total_ms[WARMUP:]))}


def speed(run: Candidate, gmac: float, peak: float | None) -> Row:
    """Return the products per second of a network alone, and their share of what the vector registers can do."""
    if run.part != CORE:
        return {}
    gmac_per_s = GMAC_PER_S * gmac / median(run.run.total_ms[WARMUP:])
    share = {"share_of_peak": digits(gmac_per_s / peak), "floor_ms": digits(GMAC_PER_S * gmac / peak)}
    return {"gmac_per_s": digits(gmac_per_s), **(share if peak and run.precision == "fp32" else {})}


def peak_gmac_per_s(threads: int) -> float | None:
    """Return what this machine does when it only multiplies and adds up in float32; None without our kernels."""
    kernels, best = native.load(), native.choose()
    if kernels is None:
        return None
    probe = {"peak": lambda: kernels.FloatPatchNetwork.multiply_only(PROBED, best)}
    [timing] = bench.compare(probe, repeats=5)
    return threads * PROBED / timing.median_ms / 1e6
