"""Flags that several verbs share, and the flags that an options dataclass brings along."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from salticid.cli.output import Output
from salticid.core.options import OptionField, Options, ProfileName

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Workers = Annotated[int | None, typer.Option(min=0, help="Worker processes (default: by CPUs and memory; 0: none).")]
Labelled = Annotated[
    Path,
    typer.Argument(
        metavar="DATA", help="A folder: images/ and labels/, or CamVid's or Cityscapes' layout.", show_default=False
    ),
]
OutputFolder = Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")]

Command = Callable[..., None]

MEGABYTES = "-mb"

_OUTPUT_FLAGS = {
    "json": Annotated[bool, typer.Option("--json", help="Machine-readable result on standard output.")],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")],
    "verbose": Annotated[bool, typer.Option("--verbose", "-v", help="Say more: the log, on standard error.")],
}


def with_output(command: Command) -> Command:
    """Give a command `--json`, `--quiet` and `--verbose`; it receives them as `out: Output`."""

    @functools.wraps(command)
    def wrapper(*, json: bool, quiet: bool, verbose: bool, **given: Any) -> None:
        command(**given, out=Output(json=json, quiet=quiet, verbose=verbose))

    flags = [_keyword(name, annotation, default=False) for name, annotation in _OUTPUT_FLAGS.items()]
    return _with_parameters(wrapper, command, instead_of={"out"}, parameters=flags)


def with_options(kind: type[Options]) -> Callable[[Command], Command]:
    """Give a command `--profile` and one flag per option of `kind`.

    The command receives them as `profile: str` and `options: dict`, which holds only what was typed.
    """
    fields = kind.fields()

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapper(**given: Any) -> None:
            options = {field.name: given.pop(field.name) for field in fields}
            command(**given, options={name: value for name, value in options.items() if value is not None})

        flags = [_profile_parameter(kind), *(_parameter(field) for field in fields)]
        return _with_parameters(wrapper, command, instead_of={"profile", "options"}, parameters=flags)

    return decorate


def _with_parameters(
    wrapper: Command, command: Command, *, instead_of: set[str], parameters: list[inspect.Parameter]
) -> Command:
    """Give `wrapper` the signature of `command`, with `parameters` instead of some: that is what typer reads."""
    own = inspect.signature(command, eval_str=True).parameters.values()
    kept = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in own if item.name not in instead_of]
    wrapper.__signature__ = inspect.Signature([*kept, *parameters])  # type: ignore[attr-defined]  # a known protocol
    wrapper.__annotations__ = {item.name: item.annotation for item in (*kept, *parameters)}
    return wrapper


def _keyword(name: str, annotation: Any, *, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _profile_parameter(kind: type[Options]) -> inspect.Parameter:
    rows = "; ".join(f"{name}: {_row(values)}" for name, values in kind.PROFILES.items())
    annotation = Annotated[ProfileName, typer.Option(help=f"Where the options start from ({rows}).")]
    return _keyword("profile", annotation, default="quality")


def _row(values: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "the defaults"


def _parameter(field: OptionField) -> inspect.Parameter:
    kind: Any = Literal[field.choices] if field.choices else field.type
    name = field.name.replace("_", "-")
    flags = [f"--{name}/--no-{name}" if field.type is bool else f"--{name}"]
    if name.endswith(MEGABYTES):  # no other unit is taken for granted
        flags.append(f"--{name.removesuffix(MEGABYTES)}")
    known = "" if field.default is None else f" (default: {field.default})"
    annotation = Annotated[kind | None, typer.Option(*flags, help=f"{field.help}{known}", show_default=False)]
    return _keyword(field.name, annotation, default=None)
