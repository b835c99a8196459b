"""How threads and processes share the cores, and how long the forward pass of a model takes.

    python bench/session.py                                          one process or two, one thread or two
    python bench/session.py --model blazepose-full --outputs Identity Identity_1 Identity_3 Identity_4

Two processes run at the same time and count their passes. Settings take turns, so that a busy moment hits them all.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from dataclasses import asdict
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np

from salticid.engine import models
from salticid.engine.bench import compare, write_report
from salticid.engine.session import EngineName, Session

CHANNELS, LAYERS, SIZE_PX = 32, 12, 96

# processes, threads of each
SETTINGS = ((1, 1), (1, 2), (2, 1), (2, 2))


def main() -> None:
    """Read the command line, measure, write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="name of a model card or path of a model: time its forward pass")
    parser.add_argument("--outputs", nargs="+", help="the outputs to compute")
    parser.add_argument("--engine", choices=("onnxruntime", "openvino"), default=None)
    parser.add_argument("--threads", type=int, default=1, help="threads for --model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="length of one measurement")
    parser.add_argument("-o", "--output", type=Path, help="JSON file instead of standard output")
    given = parser.parse_args()
    if given.model:
        session = Session(
            models.find(given.model), engine=given.engine or "auto", threads=given.threads, outputs=given.outputs
        )
        write_report("session-forward", [forward_pass(session, given.model, given.rounds * 20)], given.output)
        return
    engines: tuple[EngineName, ...] = (given.engine,) if given.engine else ("onnxruntime", "openvino")
    rows = [row for engine in engines for row in sharing(engine, given.rounds, given.seconds)]
    write_report("session-sharing", rows, given.output)


def forward_pass(session: Session, name: str, repeats: int) -> dict[str, object]:
    """Return one row: the time of a forward pass on random input."""
    random = np.random.default_rng(0)
    feeds = {
        spec.name: random.random([length or 1 for length in spec.shape or ()]).astype(spec.dtype)
        for spec in session.inputs
    }
    [timing] = compare({name: lambda: session.run(feeds)}, repeats=repeats)
    return asdict(timing) | {
        "engine": session.engine,
        "threads": session.threads,
        "precision": session.precision,
        "outputs": [spec.name for spec in session.outputs],
    }


def sharing(engine: EngineName, rounds: int, seconds: float) -> list[dict[str, object]]:
    """Return one row per setting: passes per second of all processes together, and the cores that they kept busy."""
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(2)
    pipes, workers = [], []
    for _ in range(2):
        here, there = spawn.Pipe()
        workers.append(spawn.Process(target=_serve, args=(engine, seconds, start, there), daemon=True))
        workers[-1].start()
        pipes.append(here)
    found: dict[tuple[int, int], list[tuple[float, float]]] = {setting: [] for setting in SETTINGS}
    for turn in range(rounds):
        for index in range(len(SETTINGS)):
            setting = SETTINGS[(turn + index) % len(SETTINGS)]
            found[setting].append(_measure(pipes, *setting))
    for pipe, worker in zip(pipes, workers, strict=True):
        pipe.send(None)
        worker.join()
    return [_row(engine, setting, runs) for setting, runs in found.items()]


def _measure(pipes: list[Connection], processes: int, threads: int) -> tuple[float, float]:
    """Let both processes meet at the start; one that has no part in the setting only waits."""
    for index, pipe in enumerate(pipes):
        pipe.send(threads if index < processes else 0)
    rates, busy = zip(*(pipe.recv() for pipe in pipes), strict=True)
    return sum(rates), sum(busy)


def _row(engine: EngineName, setting: tuple[int, int], runs: list[tuple[float, float]]) -> dict[str, object]:
    return {
        "engine": engine,
        "processes": setting[0],
        "threads": setting[1],
        "runs_per_s": round(statistics.median(rate for rate, _ in runs), 1),
        "cores_busy": round(statistics.median(busy for _, busy in runs), 2),
        "rounds": len(runs),
    }


def _serve(engine: EngineName, seconds: float, start: Barrier, pipe: Connection) -> None:
    """In a worker process: for every number of threads received, run for `seconds` and send the rate back."""
    sessions = {threads: Session(conv_net(), engine=engine, threads=threads) for threads in (1, 2)}
    image = np.random.default_rng(0).random((1, 3, SIZE_PX, SIZE_PX), np.float32)
    while (threads := pipe.recv()) is not None:
        start.wait()
        pipe.send(_rate(sessions[threads], image, seconds) if threads else (0.0, 0.0))


def _rate(session: Session, image: np.ndarray, seconds: float) -> tuple[float, float]:
    runs, begin, used = 0, time.perf_counter(), time.process_time()
    while (wall := time.perf_counter() - begin) < seconds:
        session.run({"image": image})
        runs += 1
    return runs / wall, (time.process_time() - used) / wall


def conv_net() -> bytes:
    """Return an ONNX model: 12 convolutions 3x3 of 32 channels, each with a ReLU."""
    from onnx import helper, numpy_helper

    random, nodes, weights, last, channels = np.random.default_rng(0), [], [], "image", 3
    for index in range(LAYERS):
        kernel = random.standard_normal((CHANNELS, channels, 3, 3)).astype(np.float32) / np.float32(3 * channels**0.5)
        weights.append(numpy_helper.from_array(kernel, f"weight{index}"))
        nodes.append(helper.make_node("Conv", [last, f"weight{index}"], [f"conv{index}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"conv{index}"], [f"relu{index}"]))
        last, channels = f"relu{index}", CHANNELS
    image = helper.make_tensor_value_info("image", 1, [1, 3, SIZE_PX, SIZE_PX])
    features = helper.make_tensor_value_info(last, 1, [1, CHANNELS, SIZE_PX, SIZE_PX])
    graph = helper.make_graph(nodes, "conv_net", [image], [features], weights)
    model: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    ).SerializeToString()
    return model


if __name__ == "__main__":
    main()
