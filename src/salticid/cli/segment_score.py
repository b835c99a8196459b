"""What `salticid eval segment` says: how good a network is on images with ground truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from salticid.cli import EXIT_SOME_FAILED
from salticid.cli.output import Output

if TYPE_CHECKING:
    from salticid.segment.evaluate import SegmentScore


def report_score(out: Output, score: SegmentScore, path: Path | None, *, overwrite: bool) -> None:
    """Show how good a network is, write it to `path` where asked, and exit 1 when some images could not be judged."""
    from salticid.core.atomic import write_bytes
    from salticid.core.plain import strict

    out.table("intersection over union", ("class", "IoU %"), [(name, 100 * iou) for name, iou in score.iou.items()])
    ms = sum(score.latency_ms.values())
    out.say(
        f"mIoU {100 * score.miou:.2f} %, pixel accuracy {100 * score.pixel_accuracy:.2f} % on {score.images} images;"
        f" {ms:.1f} ms each ({score.engine}, {score.device}, {score.precision})"
    )
    report = strict(_figures(score))
    out.result(report)
    if path:
        write_bytes(path, json.dumps(report, indent=1).encode(), overwrite=overwrite)
        out.say(f"wrote {path}")
    for entry in report["failed"]:
        typer.echo(f"failed: {entry['image']}: {entry['reason']}", err=True)
    if report["failed"]:
        raise typer.Exit(EXIT_SOME_FAILED)


def _figures(score: SegmentScore) -> dict[str, Any]:
    return {
        "miou": score.miou,
        "pixel_accuracy": score.pixel_accuracy,
        "iou": score.iou,
        "images": score.images,
        "confusion": score.confusion.tolist(),
        "latency_ms": score.latency_ms,
        "engine": score.engine,
        "device": score.device,
        "precision": score.precision,
        "failed": [{"image": name, "reason": reason} for name, reason in score.failed],
    }
