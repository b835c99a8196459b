"""Plain values: what JSON can say without losing anything, for journals, reports and `--json`."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from salticid.errors import InputError


def plain(value: Any) -> Any:
    """Return `value` as dicts, lists, strings, numbers, booleans and None.

    Paths become text, tuples lists, dataclasses dicts, numpy scalars numbers.

    Raises
    ------
    InputError
        There is something else in it.
    """
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return _plain_table(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if (
        hasattr(value, "item")
        and getattr(value, "ndim", None) == 0
        and isinstance(value.item(), (bool, int, float, str))
    ):
        return value.item()
    raise InputError(f"a {type(value).__name__} cannot be written as JSON: use plain values or the path of a file")


def to_json(value: Any) -> str:
    """Return one line of JSON that is equal for equal values, whatever the order of their keys.

    Raises
    ------
    InputError
        There is something in it that JSON cannot say, or that contains itself.
    """
    try:
        return json.dumps(plain(value), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError) as problem:
        raise InputError(f"it cannot be written as JSON: {problem}") from None


def strict(value: Any) -> Any:
    """Return `plain(value)` with nan and infinities as None, which is all that standard JSON can say of them."""
    value = plain(value)
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain_table(table: Mapping[Any, Any]) -> dict[str, Any]:
    named = {str(key): plain(item) for key, item in table.items()}
    if len(named) < len(table):
        raise InputError("two keys of a table are the same text: JSON would lose one of them")
    return named
