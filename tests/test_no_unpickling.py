"""Nothing that was stored on disk or came from outside is ever unpickled; pickles live in the worker's pipe alone."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import pytest

import salticid

PACKAGE = Path(salticid.__file__).parent
ROOT = PACKAGE.parents[1]
WORKER_PIPE = {"runtime/pool.py", "runtime/pool_process.py", "runtime/pool_worker.py"}
FORBIDDEN = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "allow_pickle", "eval", "exec"}
FILES = sorted(PACKAGE.rglob("*.py"))


def names_in(text):
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_but_the_worker_pipe_knows_pickle(path):
    found = names_in(path.read_text()) & FORBIDDEN
    if str(path.relative_to(PACKAGE)) in WORKER_PIPE:
        found -= {"pickle"}
    assert found == set()


def test_torch_load_is_nowhere():
    assert [path for path in FILES if "torch.load" in path.read_text() or "jit.load" in path.read_text()] == []


def test_the_check_itself_sees_a_pickle():
    assert names_in("import numpy as np\nnp.load(path, allow_pickle=True)") & FORBIDDEN == {"allow_pickle"}
