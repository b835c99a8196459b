"""Options of a system: one frozen dataclass that profiles, CLI flags and request schemas are made from.

    @dataclass(frozen=True, kw_only=True)
    class BlurOptions(Options):
        radius_px: int = option(2, help="radius of the window", minimum=0)
        border: Literal["reflect", "zero"] = option("reflect", help="what lies outside the image")

        PROFILES = {"speed": {"radius_px": 1}, "quality": {}, "memory": {}}

Standard library only: the command line reads it before anything heavy is imported.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from salticid.errors import InputError

ProfileName = Literal["speed", "quality", "memory"]


def option(
    default: Any,
    *,
    help: str,
    minimum: float | None = None,
    maximum: float | None = None,
    multiple_of: int | None = None,
    odd: bool = False,
) -> Any:
    """Declare one option: its default, one line of help, and the values that it may take."""
    limits = {"help": help, "minimum": minimum, "maximum": maximum, "multiple_of": multiple_of, "odd": odd}
    return dataclasses.field(default=default, metadata=limits)


@dataclass(frozen=True, slots=True)
class OptionField:
    """One option as a front end sees it."""

    name: str
    type: type  # bool, int, float or str
    optional: bool  # None is allowed
    default: Any
    choices: tuple[str, ...]  # of a Literal; empty when free
    help: str
    minimum: float | None
    maximum: float | None
    multiple_of: int | None
    odd: bool

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with `value`, or None."""
        if value is None:
            return None if self.optional else "must not be None"
        if self.choices:
            return None if value in self.choices else f"must be one of {', '.join(self.choices)}, not {value!r}"
        if not _is_a(value, self.type):
            return f"must be {_NOUNS[self.type]}, not {value!r}"
        return self._broken_limit(value)

    def _broken_limit(self, value: Any) -> str | None:
        limits = {
            f"at least {self.minimum}": self.minimum is None or value >= self.minimum,
            f"at most {self.maximum}": self.maximum is None or value <= self.maximum,
            f"a multiple of {self.multiple_of}": self.multiple_of is None or value % self.multiple_of == 0,
            "odd": not self.odd or value % 2 == 1,
        }
        broken = [limit for limit, kept in limits.items() if not kept]
        return f"must be {broken[0]}, not {value!r}" if broken else None

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of this option."""
        pairs = {
            "type": [_JSON_TYPES[self.type], "null"] if self.optional else _JSON_TYPES[self.type],
            "enum": list(self.choices) or None,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "multipleOf": self.multiple_of,
            "description": self.help,
        }
        return {key: value for key, value in pairs.items() if value is not None} | {"default": self.default}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of every system's options; values are checked when the options are built."""

    PROFILES: ClassVar[Mapping[str, Mapping[str, Any]]] = {"speed": {}, "quality": {}, "memory": {}}

    def __post_init__(self) -> None:
        for field in self.fields():
            problem = field.problem(getattr(self, field.name))
            if problem:
                raise InputError(f"{type(self).__name__}: {field.name} {problem}")

    @classmethod
    def profile(cls, name: str) -> Self:
        """Return the row `name` of the table of profiles."""
        if name not in cls.PROFILES:
            raise InputError(f"{cls.__name__}: profile must be one of {', '.join(cls.PROFILES)}, not {name!r}")
        return cls(**cls.PROFILES[name])

    def replace(self, **changes: Any) -> Self:
        """Return a copy with `changes`; an unknown name raises `InputError` and names the nearest option."""
        known = [field.name for field in self.fields()]
        for name in changes:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"options are {', '.join(known)}"
                raise InputError(f"{type(self).__name__} has no option {name!r}: {hint}")
        return dataclasses.replace(self, **changes)

    @classmethod
    def fields(cls) -> tuple[OptionField, ...]:
        """Return the options in the order in which they are declared."""
        hints = typing.get_type_hints(cls)
        return tuple(_field(item, hints[item.name]) for item in dataclasses.fields(cls))

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return a JSON schema (draft 2020-12) of these options."""
        properties = {field.name: field.schema() for field in cls.fields()}
        return {"type": "object", "title": cls.__name__, "properties": properties, "additionalProperties": False}


_NOUNS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_JSON_TYPES: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _is_a(value: Any, kind: type) -> bool:
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    return isinstance(value, (int, float) if kind is float else kind)


def _field(item: dataclasses.Field[Any], hint: Any) -> OptionField:
    optional = False
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        [hint] = [part for part in typing.get_args(hint) if part is not type(None)]
        optional = True
    choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
    return OptionField(
        name=item.name,
        type=str if choices else hint,
        optional=optional,
        default=item.default,
        choices=choices,
        **item.metadata,
    )
