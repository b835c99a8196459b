"""`salticid eval`: accuracy on data with ground truth."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from salticid.cli import EXIT_SOME_FAILED, evaluate_motion, evaluate_upscale
from salticid.cli.flags import Labelled, Overwrite, Workers, with_options, with_output
from salticid.cli.output import Output
from salticid.errors import InputError
from salticid.segment.options import SegmentOptions
from salticid.stereo.options import StereoOptions

if TYPE_CHECKING:
    from salticid.runtime.outcome import Outcome
    from salticid.stereo.evaluate import Scene

app = typer.Typer(name="eval", help="Accuracy on data with ground truth.", no_args_is_help=True)

COLUMNS = {
    "group": "set",
    "scenes": "scenes",
    "mode": "mode",
    "known": "known %",
    "bad_0.5_fill": "bad-0.5",
    "bad_1_fill": "bad-1",
    "bad_2_fill": "bad-2",
    "bad_2_all": "bad-2 all",
    "bad_2_val": "bad-2 val",
    "mae_fill_px": "MAE px",
    "auc": "AUC",
}

REFINE_COLUMNS = {
    "group": "set",
    "way": "refined by",
    "bad_0.5": "bad-0.5",
    "bad_1": "bad-1",
    "bad_2": "bad-2",
    "bad_2_equal": "bad-2 equal",
    "mae_px": "MAE px",
    "auc": "AUC",
}

Data = Annotated[Path, typer.Argument(metavar="DATA", help="A folder with scenes, at any depth.", show_default=False)]
Report = Annotated[Path | None, typer.Option("--output", "-o", help="A JSON file for all figures.")]


@app.callback()
def verbs() -> None:
    """Accuracy on data with ground truth."""


@app.command("stereo")
@with_options(StereoOptions)
@with_output
def stereo(
    data: Data,
    *,
    modes: Annotated[
        str | None, typer.Option(help="Several modes to compare: sgm8,sgm4,hh4,hh,sgbm,3way,bm or all.")
    ] = None,
    by_scene: Annotated[bool, typer.Option("--by-scene", help="A row per scene instead of one per set.")] = False,
    output: Report = None,
    workers: Workers = None,
    resume: Annotated[Path | None, typer.Option(help="A journal: a run that was killed goes on where it was.")] = None,
    overwrite: Overwrite = False,
    out: Output,
    profile: str,
    options: dict[str, Any],
) -> None:
    """Match every scene below DATA and compare with its truth.

    Percent of pixels that are wrong by more than N px (bad-N) after the row's background filled the holes; `all` counts
    holes as wrong, `val` leaves them out. Only pixels that both views see. AUC: how well the confidence ranks.
    """
    from salticid.core.atomic import check_target
    from salticid.runtime import pool
    from salticid.stereo.evaluate import evaluate_scene, find_scenes

    if output:
        check_target(output, overwrite=overwrite)
    chosen = _modes(modes, StereoOptions.profile(profile).replace(**options))
    options = options | {"profile": profile}
    scenes = [{"scene": asdict(scene), "stamp": _stamp(scene) if resume else None} for scene in find_scenes(data)]
    requests = [{**scene, "options": options | {"mode": mode}} for mode in chosen for scene in scenes]
    work = pool.map(evaluate_scene, requests, workers=workers, resume=resume)
    outcomes = list(out.progress(work, len(requests), "scenes"))
    rows = [
        {**outcome.value, "known": 100 * outcome.value["density"], "mode": outcome.item["options"]["mode"]}
        for outcome in outcomes
        if outcome.ok
    ]
    means = _means(rows, chosen)
    if by_scene:
        _show(out, rows, {"name": "scene"} | {key: title for key, title in COLUMNS.items() if key != "scenes"})
    else:
        _show(out, means, COLUMNS)
    _finish(out, output, rows, means, [outcome for outcome in outcomes if not outcome.ok], overwrite=overwrite)


@app.command("refine")
@with_output
def refine(
    data: Data,
    *,
    model: Annotated[str, typer.Option(help="A network: refine, or a file of 'salticid train refine'.")] = "refine",
    output: Report = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Refine every scene below DATA, with and without the network, and compare with its truth.

    The network of the package learned from Middlebury's scenes of 2001 to 2006: only others tell how good it is. For
    these, 'salticid train refine --folds 5' does.
    """
    from salticid.core.atomic import check_target
    from salticid.runtime import pool
    from salticid.stereo.evaluate import find_scenes
    from salticid.stereo.refine_ablation import judge_scene
    from salticid.stereo.refine_network import load

    if output:
        check_target(output, overwrite=overwrite)
    load(model)  # a wrong name is found before the work
    requests = [{"scene": asdict(scene), "model": model} for scene in find_scenes(data)]
    outcomes = list(out.progress(pool.map(judge_scene, requests, workers=workers), len(requests), "scenes"))
    rows = [row for outcome in outcomes if outcome.ok for row in outcome.value]
    failed = [outcome for outcome in outcomes if not outcome.ok]
    show_refinement(out, rows, output, failed, overwrite=overwrite)


@app.command("segment")
@with_options(SegmentOptions)
@with_output
def segment(
    data: Labelled,
    *,
    model: Annotated[str, typer.Option(help="A network: the name of its card, or an .onnx file.")] = "fastseg-camvid",
    split: Annotated[Literal["val", "train"], typer.Option(help="Which of its images.")] = "val",
    classes: Annotated[
        str | None, typer.Option(help="Names of the classes in the order of their numbers: sky,road,car.")
    ] = None,
    void: Annotated[int | None, typer.Option(min=0, max=255, help="Number in the labels that is no class.")] = None,
    output: Report = None,
    overwrite: Overwrite = False,
    out: Output,
    profile: str,
    options: dict[str, Any],
) -> None:
    """Label the images of DATA and compare with their truth: mIoU, IoU of each class, share of right pixels."""
    from salticid.cli.segment_score import report_score
    from salticid.core.atomic import check_target
    from salticid.segment.data import VOID, find_dataset
    from salticid.segment.evaluate import evaluate
    from salticid.segment.infer import Segmenter

    if output:
        check_target(output, overwrite=overwrite)
    dataset = find_dataset(data, classes.split(",") if classes else None, void)
    pairs = dataset.pairs[split]
    segmenter = Segmenter(model, profile=profile, **options)
    shown = out.progress(pairs, len(pairs), "images")
    report_score(out, evaluate(segmenter, shown, dataset.classes, VOID, read=dataset.read), output, overwrite=overwrite)


app.command("motion")(evaluate_motion.motion)
app.command("upscale")(evaluate_upscale.upscale)


def show_refinement(
    out: Output, rows: list[dict[str, Any]], path: Path | None, failed: list[Outcome], *, overwrite: bool
) -> None:
    """Show what each way of refining is worth, and write it down where asked."""
    from salticid.stereo.refine_ablation import means

    mean = means(rows)
    table = [[row[key] for key in REFINE_COLUMNS] for row in mean]
    out.table("percent of all pixels that both views see", list(REFINE_COLUMNS.values()), table)
    _finish(out, path, rows, mean, failed, overwrite=overwrite)


def _stamp(scene: Scene) -> list[Any]:
    """Return what tells a scene's files from later ones of the same names: a journal must not take old for new."""
    from salticid.stereo.evaluate import rig_files

    own = [Path(path) for path in (scene.left, scene.right, scene.truth, scene.other_truth, scene.visible) if path]
    return [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in (*own, *rig_files(scene))]


def _modes(text: str | None, options: StereoOptions) -> list[str]:
    from salticid.stereo.matching import choose_engine

    if text is None:
        return [choose_engine(options)[1]]
    if options.mode is not None:
        raise InputError(f"--mode {options.mode} and --modes {text}: say one of them")
    [field] = [field for field in StereoOptions.fields() if field.name == "mode"]
    named = list(field.choices) if text == "all" else list(dict.fromkeys(text.split(",")))
    for mode in named:
        problem = field.problem(mode)
        if problem:
            raise InputError(f"--modes: mode {problem}")
    return [choose_engine(options.replace(mode=mode))[1] for mode in named]


def _means(rows: list[dict[str, Any]], modes: list[str]) -> list[dict[str, Any]]:
    """Return one row per set and mode."""
    from salticid.stereo.evaluate import mean_by_group

    return [
        {**mean, "mode": mode} for mode in modes for mean in mean_by_group([row for row in rows if row["mode"] == mode])
    ]


def _show(out: Output, rows: list[dict[str, Any]], columns: dict[str, str]) -> None:
    ordered = sorted(rows, key=lambda row: str(row["group"]))
    out.table(
        "percent of pixels, holes filled", list(columns.values()), [[row[key] for key in columns] for row in ordered]
    )


def _finish(
    out: Output,
    path: Path | None,
    scenes: list[dict[str, Any]],
    means: list[dict[str, Any]],
    failed: list[Outcome],
    *,
    overwrite: bool,
) -> None:
    import json

    from salticid.core.atomic import write_bytes
    from salticid.core.plain import strict

    reasons = [{"scene": outcome.item["scene"]["name"], "reason": outcome.error} for outcome in failed]
    report = strict({"means": means, "scenes": scenes, "failed": reasons})
    out.result(report)
    if path:
        write_bytes(path, json.dumps(report, indent=1).encode(), overwrite=overwrite)
        out.say(f"wrote {path}")
    for entry in reasons:
        typer.echo(f"failed: {entry['scene']}: {entry['reason']}", err=True)
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)
