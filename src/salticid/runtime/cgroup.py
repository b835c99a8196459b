"""What a Linux control group leaves to this process: memory and CPU time, version 1 or 2.

A container's limit is not in `/proc/meminfo`, and any ancestor of the group may be the tight one. Page cache that the
kernel would drop on demand (`inactive_file`) counts as free.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
UNLIMITED_BYTES = 1 << 60  # version 1 says "no limit" with a number near 2**63


def memory_left(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Return the bytes that the tightest ancestor still allows, or None where there is no limit."""
    rooms = [room for group in _groups("memory", proc, cgroups) if (room := _room(group)) is not None]
    return min(rooms, default=None)


def memory_limit(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Return the lowest memory limit among the ancestors in bytes, or None where there is none."""
    limits = [limit for group in _groups("memory", proc, cgroups) if (limit := _limit(group)) is not None]
    return min(limits, default=None)


def cpu_quota(proc: Path = PROC, cgroups: Path = CGROUPS) -> float | None:
    """Return how many CPUs' worth of time the tightest ancestor grants, or None where there is no quota."""
    quotas = [quota for group in _groups("cpu", proc, cgroups) if (quota := _quota(group)) is not None]
    return min(quotas, default=None)


def oom_kills(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Return how often the kernel's OOM killer has struck in this group (version 2; 0 where unknown)."""
    for group in _groups("memory", proc, cgroups):
        return _table(group / "memory.events").get("oom_kill", 0)
    return 0


def _groups(controller: str, proc: Path, cgroups: Path) -> Iterator[Path]:
    """Yield this process's group of `controller` and its ancestors, innermost first."""
    for line in _text(proc / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = cgroups / controllers if controllers else cgroups
        root = root if root.is_dir() else cgroups / controller
        group = root / path.lstrip("/")
        # Inside a container the path is the host's and the mount shows only the container's own root.
        group = group if group.is_dir() else root
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(root))


def _room(group: Path) -> int | None:
    limit = _limit(group)
    if limit is None:
        return None
    usage = _number(group / "memory.current") or _number(group / "memory.usage_in_bytes") or 0
    statistics = _table(group / "memory.stat")
    reclaimable = statistics.get("total_inactive_file", statistics.get("inactive_file", 0))
    return max(0, limit - max(0, usage - reclaimable))


def _limit(group: Path) -> int | None:
    limit = _number(group / "memory.max") or _number(group / "memory.limit_in_bytes")
    return limit if limit is not None and limit < UNLIMITED_BYTES else None


def _quota(group: Path) -> float | None:
    words = _text(group / "cpu.max").split()
    if not words:
        words = [_text(group / "cpu.cfs_quota_us").strip(), _text(group / "cpu.cfs_period_us").strip()]
    if len(words) != 2 or not all(word.isdigit() for word in words) or int(words[1]) == 0:
        return None
    return int(words[0]) / int(words[1])


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    word = _text(path).strip()
    return int(word) if word.isdigit() else None


def _table(path: Path) -> dict[str, int]:
    pairs = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
