"""The part of the demo about meaning: streets of CamVid labelled, beside their truth, where there is data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from salticid.cli.output import Output
from salticid.errors import InputError

if TYPE_CHECKING:
    from salticid.cli.page import Page
    from salticid.core.types import Image
    from salticid.segment.data import Dataset
    from salticid.segment.infer import Segmenter

FOLDER = "segmentation/camvid"  # of the data
SHOWN = 3
WRONG = (213, 0, 50)  # RGB


def find_streets(data: Path | None) -> Dataset | None:
    """Return the streets in `data`, if it has any; `InputError` where they are laid out in no way that is known."""
    if data is None or not (data / FOLDER).is_dir():
        return None
    from salticid.segment.data import find_dataset

    return find_dataset(data / FOLDER)


def show_streets(page: Page, streets: Dataset | None, out: Output) -> dict[str, Any] | None:
    """Put labels on the page and return their accuracy; None where there is no street, which the page then says."""
    page.heading("A class for every pixel")
    pairs = streets.pairs["val"] if streets else ()
    if streets is None or not pairs:
        page.text(
            "There is no street here to look at. Any photo taken from a car will do: "
            "salticid segment photo.jpg -o seen.jpg"
        )
        return None
    from salticid.core.palette import class_palette
    from salticid.segment.evaluate import evaluate
    from salticid.segment.infer import MODEL, Segmenter

    segmenter = Segmenter()
    score = evaluate(segmenter, out.progress(pairs, len(pairs), "streets"), streets.classes, read=streets.read)
    ms = sum(score.latency_ms.values())
    failed = f" {len(score.failed)} more could not be judged." if score.failed else ""
    page.text(
        f"{MODEL}, a network of 1.6 million parameters, on {score.images} validation images of CamVid.{failed} It "
        f"learned from others; its best epoch was chosen by these. mIoU {100 * score.miou:.1f} %, "
        f"{100 * score.pixel_accuracy:.1f} % of the pixels right, {ms:.1f} ms an image "
        f"({score.engine}, {score.device}, {score.precision})."
    )
    page.colors(dict(zip(segmenter.names, class_palette(len(segmenter.names)).tolist(), strict=True)))
    for pair in pairs[:: -(-len(pairs) // SHOWN)]:
        try:
            page.pictures(_pictures(segmenter, streets.classes, *streets.read(pair)))
        except InputError as problem:
            page.text(str(problem))
    page.table(("class", "IoU %"), [(name, 100 * iou) for name, iou in score.iou.items()])
    return {"miou": score.miou, "iou": score.iou, "ms": ms, "failed": len(score.failed)}


def _pictures(segmenter: Segmenter, classes: tuple[str, ...], image: Image, truth: Image) -> dict[str, Image]:
    """Return an image, what was found in it, and where this is not what is there."""
    import numpy as np

    from salticid.segment.data import VOID
    from salticid.segment.evaluate import class_numbers

    found = segmenter(image)
    counts = truth != VOID
    wrong = (class_numbers(found.names, classes)[found.labels] != truth) & counts
    marked = np.where(wrong[..., None], np.array(WRONG, np.uint8), image // 2)
    share = 100 * wrong.sum() / max(1, counts.sum())
    return {"image": image, "found": found.overlay(image, opacity=0.7), f"wrong in red: {share:.1f} %": marked}
