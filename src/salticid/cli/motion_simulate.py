"""`salticid motion simulate`: clips of a simulated person as keypoint files, with what is exactly true of them."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from salticid.cli.flags import OutputFolder, Overwrite, with_output
from salticid.cli.output import Output

if TYPE_CHECKING:
    from salticid.motion.simulate.persons import GaitStyle, SimulatedMotion

Changes = Literal["none", "tired", "limping", "stiff knee", "pelvic drop", "overstriding", "higher cadence"]


@with_output
def simulate(
    *,
    output: OutputFolder,
    activity: Annotated[Literal["walk", "run"], typer.Option(help="What the figure does.")] = "run",
    speed: Annotated[float | None, typer.Option(min=0.1, help="km/h (default: 5 walking, 10 running).")] = None,
    clips: Annotated[int, typer.Option(min=1, help="Clips of the figure as it usually moves.")] = 5,
    change: Annotated[Changes, typer.Option(help="What is different in today.npz.")] = "stiff knee",
    view: Annotated[Literal["side", "rear", "front", "room"], typer.Option(help="From where it is seen.")] = "side",
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Length of a clip.")] = 10.0,
    fps: Annotated[float, typer.Option(min=5, max=1000, help="Frames a second.")] = 60.0,
    noise_cm: Annotated[float, typer.Option(min=0, help="Error of each keypoint, standard deviation.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Where chance begins; the same seed gives the same clips.")] = 0,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Write clips of a simulated person, one more with a change, and the truth about all of them.

    The clips are keypoints, as a pose network finds them in a video; baseline and score take them like videos.
    """
    from salticid.core.atomic import check_target, make_folder
    from salticid.motion.simulate.persons import GaitStyle, changed, simulate_baseline

    style = GaitStyle(activity=activity, speed_kmh=speed or {"walk": 5.0, "run": 10.0}[activity], treadmill=True)
    usual = simulate_baseline(style, clips, seconds=seconds, fps=fps, seed=seed)
    after = style if change == "none" else changed(style, change)
    [today] = simulate_baseline(after, 1, seconds=seconds, fps=fps, seed=seed + 1_000_003)
    motions = {f"clip{number}": motion for number, motion in enumerate(usual, 1)} | {"today": today}
    folder = make_folder(output)
    paths = {name: folder / f"{name}.npz" for name in motions}
    truth = folder / "truth.json"
    for path in (*paths.values(), truth):
        check_target(path, overwrite=overwrite)
    for number, (name, motion) in enumerate(motions.items()):
        _write(motion, paths[name], view, noise_cm / 100, seed + number)
    _write_truth(motions, truth, {"change": change, "view": view, "noise_cm": noise_cm, "fps": fps, "seed": seed})
    out.result({"folder": folder, "clips": list(paths.values()), "truth": truth})
    _say_next(out, folder, clips, change, style)


def _write(motion: SimulatedMotion, path: Path, view: Any, noise_m: float, seed: int) -> None:
    from salticid.motion.files.read import write_npz
    from salticid.motion.simulate.persons import observe

    write_npz(path, observe(motion, view, noise_m=noise_m, seed=seed))


def _write_truth(motions: dict[str, SimulatedMotion], path: Path, settings: dict[str, Any]) -> None:
    import json

    from salticid.core.atomic import write_bytes
    from salticid.core.plain import strict

    text = json.dumps(
        strict(settings | {"clips": {name: _truth(motion) for name, motion in motions.items()}}), indent=1
    )
    write_bytes(path, text.encode())


def _truth(motion: SimulatedMotion) -> dict[str, Any]:
    """Return what is true of one clip: events, times, and the largest and smallest of every angle."""
    per_side = ("contacts_s", "toe_offs_s", "contact_time_s", "stride_time_s", "step_length_m")
    single = ("cadence_spm", "duty_factor", "flight_time_s", "speed_kmh", "vertical_oscillation_m", "height_m")
    angles = {name: [float(values.min()), float(values.max())] for name, values in motion.truths.items()}
    return (
        {name: getattr(motion, name) for name in single}
        | {name: {side: values.tolist() for side, values in getattr(motion, name).items()} for name in per_side}
        | {"least_and_most_deg": angles}
    )


def _say_next(out: Output, folder: Path, clips: int, change: str, style: GaitStyle) -> None:
    today = "one more" if change == "none" else f"one with a change ({change})"
    out.say(f"{folder}: {clips} clips of a simulated person, {today} in today.npz, truth.json")
    files = " ".join(quote(f"{folder}/clip{number}.npz") for number in range(1, clips + 1))
    new, base, report = (quote(f"{folder}/{name}") for name in ("today.npz", "baseline", "report"))
    speed = f"--speed {style.speed_kmh:g}"
    out.say(f"next: salticid motion baseline {files} {speed} --height-m {style.height_m:g} -o {base}")
    out.say(f"then: salticid motion score {new} {speed} --baseline {base} -o {report}")
