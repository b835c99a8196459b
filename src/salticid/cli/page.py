"""A self-contained web page: pictures, tables and point clouds in one file that opens anywhere, offline."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from salticid.cli.output import cell

if TYPE_CHECKING:
    from salticid.core.types import Image
    from salticid.stereo.cloud import PointCloud

PNG_LEVEL = 6
CLOUD_POINTS = 100_000  # what a page carries of a cloud: 1.2 MB of text

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; color: #222 }}
h1 {{ font-weight: 600 }} h2 {{ margin-top: 2.2rem; font-weight: 600 }}
.row {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 1rem }}
figure {{ margin: 0 }} figure img, canvas {{ width: 100%; border-radius: 4px; display: block }}
figcaption {{ color: #666; font-size: 13px; padding-top: .3rem }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums }}
th, td {{ padding: .25rem .9rem .25rem 0; text-align: right; border-bottom: 1px solid #e4e4e4 }}
th:first-child, td:first-child {{ text-align: left }} code {{ background: #f3f3f3; padding: .1rem .3rem }}
</style></head><body>
"""


class Page:
    """A page under construction; every method adds one piece at its end."""

    def __init__(self, title: str) -> None:
        self._parts = [_HEAD.format(title=escape(title)), f"<h1>{escape(title)}</h1>\n"]
        self._clouds = 0

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(f"<h2>{escape(text)}</h2>\n")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(f"<p>{escape(text)}</p>\n")

    def pictures(self, pictures: dict[str, Image]) -> None:
        """Add pictures side by side, each (H, W) or (H, W, 3) uint8 under its caption."""
        figures = "".join(
            f'<figure><img alt="{escape(caption)}" src="{_data_uri(picture)}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>\n"
            for caption, picture in pictures.items()
        )
        self._parts.append(f'<div class="row">{figures}</div>\n')

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add a table."""
        head = "".join(f"<th>{escape(column)}</th>" for column in columns)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell(value))}</td>" for value in row) + "</tr>\n" for row in rows)
        self._parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>\n")

    def colors(self, colors: dict[str, Sequence[int]]) -> None:
        """Add a line of names, each beside its color, RGB 0..255."""
        named = "".join(
            f'<span style="white-space: nowrap; margin-right: 1rem"><span style="display: inline-block; width: .9em; '
            f'height: .9em; background: rgb({red}, {green}, {blue})"></span> {escape(name)}</span> '
            for name, (red, green, blue) in colors.items()
        )
        self._parts.append(f"<p>{named}</p>\n")

    def cloud(self, cloud: PointCloud, caption: str) -> None:
        """Add a point cloud that can be turned."""
        if self._clouds == 0:
            self._parts.append(f"<script>{files('salticid.cli').joinpath('cloud_viewer.js').read_text()}</script>\n")
        self._clouds += 1
        name = f"cloud{self._clouds}"
        self._parts.append(
            f'<figure><canvas id="{name}" width="960" height="640"></canvas>'
            f"<figcaption>{escape(caption)}</figcaption></figure>\n"
            f'<script>showCloud(document.getElementById("{name}"), "{_packed(cloud)}")</script>\n'
        )

    def html(self) -> str:
        """Return the whole page."""
        return "".join(self._parts) + "</body></html>\n"


def _data_uri(picture: Image) -> str:
    from salticid.core.image_encode import encode

    samples = picture.reshape(*picture.shape[:2], -1)
    file = encode("PNG", samples, icc=None, exif=None, png_level=PNG_LEVEL, jpeg_quality=95)
    return "data:image/png;base64," + base64.b64encode(file).decode()


def _packed(cloud: PointCloud) -> str:
    """Return some of the points, drawn by a fixed lot, in the form that cloud_viewer.js reads."""
    import numpy as np

    drawn = np.random.default_rng(0).permutation(len(cloud))[:CLOUD_POINTS]
    points = cloud.points[drawn]
    colors = np.full(points.shape, 200, np.uint8) if cloud.colors is None else cloud.colors[drawn]
    middle = np.median(points, axis=0)
    reach = max(float(np.percentile(np.abs(points - middle), 99)), 1e-6)
    scaled = np.clip((points - middle) / reach, -1, 1) * 32767
    return base64.b64encode(scaled.astype("<i2").tobytes() + np.ascontiguousarray(colors).tobytes()).decode()
