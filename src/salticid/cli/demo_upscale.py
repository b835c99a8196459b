"""The part of the demo about detail: pictures made small, enlarged in three ways, and beside what they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salticid.cli.output import Output

if TYPE_CHECKING:
    from salticid.cli.page import Page
    from salticid.core.types import Image
    from salticid.upscale.evaluate import Evaluation
    from salticid.upscale.result import Upscaled

FOLDER = "upscale/Set5"  # of the data
DRAWN = "drawn.png"  # in the demo's folder, where there is no data
MODELS = ("bicubic", "nano", "fast")
SCALE = 4
PARTS, PART_PX, MAGNIFIED = 2, 160, 4  # that are shown of the large picture, a side, and how many times as large
COLUMNS = ("enlarged by", "computed in", "PSNR dB", "SSIM", "ms a picture")


@dataclass(frozen=True, slots=True)
class Trial:
    """What one way to enlarge made of all pictures."""

    model: str
    made: Sequence[Upscaled]  # one for each picture
    found: Evaluation

    @property
    def steps(self) -> str:
        """How it was computed."""
        return ", ".join(dict.fromkeys(one.step for one in self.made))


def find_pictures(data: Path | None) -> list[Path]:
    """Return the pictures in `data`, none where it has no folder for them; `InputError` where that has no picture."""
    if data is None or not (data / FOLDER).is_dir():
        return []
    from salticid.upscale.data import find_images

    return find_images([data / FOLDER])


def show_detail(page: Page, pictures: Sequence[Path], output: Path, out: Output) -> dict[str, Any]:
    """Put enlarged pictures on the page and return how close they come; where none is given, draw one into `output`."""
    page.heading("Detail out of a small picture")
    page.text(_what(pictures))
    pictures = pictures or [_draw(output / DRAWN)]
    trials = [_trial(model, pictures) for model in out.progress(MODELS, len(MODELS), "ways to enlarge")]
    rows = [_row(trial) for trial in trials]
    page.table(COLUMNS, rows)
    for skip in trials[-1].made[0].skipped:
        page.text(f"{skip.step} was not possible: {skip.reason}")
    _show(page, pictures, trials[0], trials[-1])
    out.table(f"enlarged {SCALE} times: luma", COLUMNS, rows)
    return {trial.model: _figures(trial) for trial in trials}


def _what(pictures: Sequence[Path]) -> str:
    source = (
        f"The {len(pictures)} pictures in {FOLDER} are"
        if pictures
        else f"A picture that this program has drawn ({DRAWN}: no photograph, and no measure for photographs) is"
    )
    return (
        f"{source} made {SCALE} times smaller by MATLAB's bicubic and enlarged again. How close that comes to the "
        f"original, by luma without a border of {SCALE} px, as 'salticid eval upscale' computes it:"
    )


def _draw(path: Path) -> Path:
    from salticid.cli.demo_picture import drawn_picture
    from salticid.core.image import write_image

    write_image(path, drawn_picture())
    return path


def _trial(model: str, pictures: Sequence[Path]) -> Trial:
    import numpy as np

    from salticid.upscale.evaluate import evaluate
    from salticid.upscale.infer import Upscaler

    upscaler = Upscaler(model)
    made: list[Upscaled] = []
    upscaler(np.zeros((16, 16, 3), np.uint8), scale=SCALE)  # the first call loads the network

    def enlarge(image: Image) -> Image:
        made.append(upscaler(image, scale=SCALE))
        return made[-1].image

    return Trial(model, made, evaluate(enlarge, pictures, SCALE))


def _row(trial: Trial) -> tuple[str | float, ...]:
    mean = trial.found.mean
    return trial.model, trial.steps, f"{mean.psnr_db:.2f}", f"{mean.ssim:.4f}", mean.ms


def _figures(trial: Trial) -> dict[str, Any]:
    mean = trial.found.mean
    return {"step": trial.steps, "psnr_db": mean.psnr_db, "ssim": mean.ssim, "ms": mean.ms}


def _show(page: Page, pictures: Sequence[Path], plain: Trial, best: Trial) -> None:
    """Show parts of the picture where bicubic is most wrong."""
    from salticid.core.image import read_image
    from salticid.upscale.data import shrunk

    lost_db = [row.psnr_db for row in plain.found.rows]
    at = lost_db.index(min(lost_db))
    pair = shrunk(read_image(pictures[at]), SCALE)
    height, width = pair.small.shape[:2]
    views = {
        f"small: {width} x {height} px": _repeated(pair.small, SCALE),
        _caption(plain, at): plain.made[at].image,
        _caption(best, at): best.made[at].image,
        f"original: {pair.large.shape[1]} x {pair.large.shape[0]} px": pair.large,
    }
    page.text(
        f"Of {pictures[at].name} the parts where bicubic is most wrong, {PART_PX} px a side, each pixel magnified; "
        "PSNR is that of the whole picture:"
    )
    for part in _worst_parts(plain.made[at].image, pair.large):
        shown = [(caption, _repeated(view[part], MAGNIFIED)) for caption, view in views.items()]
        page.pictures(dict(shown[:2]))  # rows of two, in which every pixel can be told
        page.pictures(dict(shown[2:]))


def _caption(trial: Trial, at: int) -> str:
    return f"{trial.made[at].model}: {trial.found.rows[at].psnr_db:.2f} dB, {trial.found.rows[at].ms:.0f} ms"


def _worst_parts(image: Image, truth: Image) -> Iterator[tuple[slice, slice]]:
    """Yield the squares with the most error of luma, the worst first; none overlaps another."""
    import cv2
    import numpy as np

    from salticid.core.color import rgb_to_y

    side = min(PART_PX, *image.shape[:2])
    error = np.square(rgb_to_y(image) - rgb_to_y(truth))
    mean = cv2.blur(error, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)[: 1 - side, : 1 - side]
    for _ in range(PARTS):
        top, left = (int(at) for at in np.unravel_index(np.argmax(mean), mean.shape))
        if mean[top, left] < 0:  # no room for one more
            return
        yield slice(top, top + side), slice(left, left + side)
        mean[max(0, top - side + 1) : top + side, max(0, left - side + 1) : left + side] = -1


def _repeated(image: Image, times: int) -> Image:
    """Return an image whose every pixel is a square."""
    return image.repeat(times, axis=0).repeat(times, axis=1)
