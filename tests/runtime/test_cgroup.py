"""The limits of a control group, read from trees that look like those of real machines."""

from __future__ import annotations

import pytest

from salticid.runtime import cgroup

GIB = 1 << 30


@pytest.fixture
def tree(tmp_path):
    """A factory of fake /proc and /sys/fs/cgroup trees: `tree(membership, {path: text})`."""

    def build(membership, files):
        proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
        (proc / "self").mkdir(parents=True)
        (proc / "self" / "cgroup").write_text(membership)
        cgroups.mkdir()
        for name, text in files.items():
            (cgroups / name).parent.mkdir(parents=True, exist_ok=True)
            (cgroups / name).write_text(text)
        return {"proc": proc, "cgroups": cgroups}

    return build


def test_version_2_counts_reclaimable_page_cache_as_free(tree):
    place = tree(
        "0::/app\n",
        {
            "app/memory.max": f"{4 * GIB}\n",
            "app/memory.current": f"{3 * GIB}\n",
            "app/memory.stat": f"anon 1\ninactive_file {2 * GIB}\n",
        },
    )
    assert cgroup.memory_left(**place) == 3 * GIB
    assert cgroup.memory_limit(**place) == 4 * GIB


def test_the_tightest_ancestor_decides(tree):
    files = {"a/b/memory.max": "max", "a/memory.max": f"{GIB}", "a/memory.current": "0", "memory.max": f"{8 * GIB}"}
    place = tree("0::/a/b\n", files | {"a/cpu.max": "150000 100000", "a/b/cpu.max": "max 100000"})
    assert cgroup.memory_left(**place) == GIB
    assert cgroup.cpu_quota(**place) == 1.5


def test_inside_a_container_the_mount_shows_its_own_root(tree):
    place = tree("0::/system.slice/docker-123\n", {"memory.max": f"{GIB}", "memory.current": f"{GIB // 4}"})
    assert cgroup.memory_left(**place) == GIB - GIB // 4


def test_version_1_says_unlimited_with_a_huge_number(tree):
    place = tree(
        "5:cpu,cpuacct:/x\n4:memory:/x\n",
        {
            "memory/x/memory.limit_in_bytes": "9223372036854771712",
            "memory/memory.limit_in_bytes": f"{2 * GIB}",
            "memory/memory.usage_in_bytes": f"{GIB}",
            "memory/memory.stat": f"inactive_file 5\ntotal_inactive_file {GIB // 2}\n",
            "cpu,cpuacct/x/cpu.cfs_quota_us": "-1",
            "cpu,cpuacct/cpu.cfs_quota_us": "400000",
            "cpu,cpuacct/x/cpu.cfs_period_us": "100000",
            "cpu,cpuacct/cpu.cfs_period_us": "100000",
        },
    )
    assert cgroup.memory_left(**place) == GIB + GIB // 2
    assert cgroup.cpu_quota(**place) == 4


def test_no_limits_and_no_files_mean_none(tree, tmp_path):
    place = tree("0::/app\n", {"app/memory.max": "max\n", "app/cpu.max": "max 100000\n"})
    assert cgroup.memory_left(**place) is None
    assert cgroup.cpu_quota(**place) is None
    assert cgroup.memory_left(tmp_path / "none", tmp_path / "none") is None


def test_more_in_use_than_the_limit_leaves_nothing_rather_than_less(tree):
    place = tree("0::/\n", {"memory.max": "1000", "memory.current": "2000"})
    assert cgroup.memory_left(**place) == 0


def test_oom_kills_are_counted(tree):
    place = tree("0::/app\n", {"app/memory.events": "low 0\noom 3\noom_kill 2\n"})
    assert cgroup.oom_kills(**place) == 2
