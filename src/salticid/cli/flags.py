"""Flags that several verbs share, and the flags that an options dataclass brings along."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from salticid.core.options import OptionField, Options, ProfileName

Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more: the log, on standard error.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Workers = Annotated[int | None, typer.Option(min=0, help="Worker processes (default: by CPUs and memory; 0: none).")]
OutputFolder = Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")]


def with_options(kind: type[Options]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command `--profile` and one flag per option of `kind`.

    The command receives them as `profile: str` and `options: dict`, which holds only what was typed.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        fields = kind.fields()

        @functools.wraps(command)
        def wrapper(**given: Any) -> None:
            options = {field.name: given.pop(field.name) for field in fields}
            command(**given, options={name: value for name, value in options.items() if value is not None})

        own = inspect.signature(command, eval_str=True)
        kept = [parameter for parameter in own.parameters.values() if parameter.name not in ("profile", "options")]
        parameters = [*kept, _profile_parameter(kind), *(_parameter(field) for field in fields)]
        keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
        wrapper.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]  # what typer reads
        wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in keyword_only}
        return wrapper

    return decorate


def _profile_parameter(kind: type[Options]) -> inspect.Parameter:
    rows = "; ".join(f"{name}: {_row(values)}" for name, values in kind.PROFILES.items())
    annotation = Annotated[ProfileName, typer.Option(help=f"Where the options start from ({rows}).")]
    return inspect.Parameter("profile", inspect.Parameter.KEYWORD_ONLY, default="quality", annotation=annotation)


def _row(values: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "the defaults"


def _parameter(field: OptionField) -> inspect.Parameter:
    kind: Any = Literal[field.choices] if field.choices else field.type
    name = field.name.replace("_", "-")
    flag = f"--{name}/--no-{name}" if field.type is bool else f"--{name}"
    known = "" if field.default is None else f" (default: {field.default})"
    annotation = Annotated[kind | None, typer.Option(flag, help=f"{field.help}{known}", show_default=False)]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
