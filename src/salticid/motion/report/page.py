"""The pieces of a self-contained page: sections, tables, pictures, and one style for screen, phone and paper."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from salticid.core.types import Array
from salticid.motion.report.chart import BAND, BAND_EDGE, FAINT, GRID, INK, SIDE_COLORS

JPEG_QUALITY = 85

_COLORS = {
    "ink": INK,
    "faint": FAINT,
    "grid": GRID,
    "band": BAND,
    "edge": BAND_EDGE,
    "left": SIDE_COLORS["left"],
    "right": SIDE_COLORS["right"],
}


@dataclass(frozen=True, slots=True)
class Html:
    """Text that is markup already, and is put in as it is."""

    text: str


Cell = str | Html


def page(title: str, parts: Sequence[str], footer: str) -> str:
    """Return the whole page; nothing in it is loaded from elsewhere."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_style()}</style></head><body><main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<footer>{escape(footer)}</footer></main></body></html>\n"
    )


def section(heading: str, content: str, note: str = "", *, fresh: bool = False) -> str:
    """Return a section; nothing where there is no content. `fresh` begins it on a new sheet of paper."""
    if not content:
        return ""
    said = f'<p class="note">{escape(note)}</p>' if note else ""
    css = ' class="fresh"' if fresh else ""
    return f"<section{css}><h2>{escape(heading)}</h2>{said}{content}</section>"


def table(columns: Sequence[tuple[str, str]], rows: Sequence[tuple[str, Sequence[Cell]]]) -> str:
    """Return a table.

    Parameters
    ----------
    columns
        Each with its heading and its class: "number" is aligned right, "wide" is not there on a phone.
    rows
        Each with its class ("out" for what lies outside, "group" for a heading over the whole width) and cells.
    """
    css = [f' class="{kind}"' if kind else "" for _, kind in columns]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, (name, _) in zip(css, columns, strict=True))
    body = "".join(_row(kind, cells, css) for kind, cells in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Return names and what they are."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in pairs) + "</dl>"


def figure(content: str, caption: Cell) -> str:
    """Return a chart or a picture with its caption."""
    return f"<figure>{content}<figcaption>{markup(caption)}</figcaption></figure>"


def picture(image: Array, caption: str) -> str:
    """Return an (H, W, 3) uint8 picture, in the page as JPEG."""
    from salticid.core.image_encode import encode

    file = encode("JPEG", image, icc=None, exif=None, png_level=6, jpeg_quality=JPEG_QUALITY)
    data = base64.b64encode(file).decode()
    return figure(f'<img alt="{escape(caption)}" src="data:image/jpeg;base64,{data}">', caption)


def markup(cell: Cell) -> str:
    """Return what is put in a page for a cell: text is escaped."""
    return cell.text if isinstance(cell, Html) else escape(cell)


def _style() -> str:
    """Return the style sheet, with the colors of the charts."""
    colors = "".join(f"--{name}: {color}; " for name, color in _COLORS.items())
    return f":root {{ {colors}}}\n" + files("salticid.motion.report").joinpath("report.css").read_text("utf-8")


def _row(kind: str, cells: Sequence[Cell], css: Sequence[str]) -> str:
    if kind == "group":
        return f'<tr class="group"><td colspan="{len(css)}">{markup(cells[0])}</td></tr>'
    body = "".join(f"<td{place}>{markup(cell)}</td>" for place, cell in zip(css, cells, strict=True))
    return f'<tr class="{kind}">{body}</tr>' if kind else f"<tr>{body}</tr>"
