"""`salticid demo`: depth, labels, motion and detail with their true error, from nothing but this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from salticid.cli import demo_motion, demo_segment, demo_stereo, demo_upscale
from salticid.cli.flags import Overwrite, with_output
from salticid.cli.output import Output
from salticid.errors import InputError

DATA_VARIABLE = "SALTICID_DATA"
FOLDERS = (demo_stereo.FOLDER, demo_segment.FOLDER, demo_upscale.FOLDER)


@with_output
def demo(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")] = Path("demo"),
    data: Annotated[
        Path | None,
        typer.Option(
            envvar=DATA_VARIABLE,
            help="A folder of real data: a pair of its stereo/, its segmentation/camvid/, its upscale/Set5/.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    out: Output,
) -> None:
    """Match a simulated pair and, where there is data, a real one; label streets; tell what is new in how a simulated
    person runs; enlarge small pictures. Write report.html, cloud.ply, the folder motion and, where there is no data,
    drawn.png."""
    from salticid.cli.page import Page
    from salticid.core.atomic import check_target, make_folder, write_bytes
    from salticid.engine.bench import machine

    if data is not None and not any((data / folder).is_dir() for folder in FOLDERS):
        raise InputError(
            f"--data (or {DATA_VARIABLE}) is {data}, which has no folder {' or '.join(FOLDERS)}: choose another"
        )
    streets, pictures = demo_segment.find_streets(data), demo_upscale.find_pictures(data)
    report = make_folder(output) / "report.html"
    drawn = [] if pictures else [output / demo_upscale.DRAWN]
    for path in (report, output / "cloud.ply", *drawn):
        check_target(path, overwrite=overwrite)
    demo_motion.check_free(output, overwrite=overwrite)
    page = Page("Salticid")
    rows = demo_stereo.show_depth(page, data, output, out)
    labelled = demo_segment.show_streets(page, streets, out)
    moved = demo_motion.show_motion(page, output, out, overwrite=overwrite)
    enlarged = demo_upscale.show_detail(page, pictures, output, out)
    page.heading("Machine")
    page.table(("what", "value"), _flat(machine()))
    write_bytes(report, page.html().encode())
    out.say(f"wrote {report} (open it in a browser), {output / 'cloud.ply'}")
    out.result({"report": report, "rows": rows, "segment": labelled, "motion": moved, "upscale": enlarged})


def _flat(table: dict[str, Any]) -> list[tuple[str, str]]:
    """Return nested tables as pairs of text."""
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            pairs += _flat(value)
        else:
            pairs.append((key, ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)))
    return pairs
