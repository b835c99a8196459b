"""A network as `fit` wrote it: loaded again, or exported to be used without torch."""

from __future__ import annotations

import json
import os

from salticid.engine.export_onnx import export_onnx
from salticid.engine.weights import read_state
from salticid.errors import InputError
from salticid.segment.network import MULTIPLE, STRIDE, FastSegNet
from salticid.segment.network_file import CLASSES_KEY, INPUT, INPUT_KEY, STRIDE_KEY, TASK, TASK_KEY

File = str | os.PathLike[str]


def load_trained(path: File) -> tuple[FastSegNet, tuple[str, ...]]:
    """Return the network that `fit` wrote, ready to be used, and the names of its classes.

    Raises
    ------
    InputError
        There is no such file, or it holds another network.
    IntegrityError
        It is damaged.
    """
    tensors, facts = read_state(path)
    if not isinstance(facts, dict) or not {"classes", "variant"} <= facts.keys():
        raise InputError(f"{os.fspath(path)} holds no network of 'salticid train segment'")
    net = FastSegNet(len(facts["classes"]), facts["variant"])
    try:
        net.load_state_dict(tensors)
    except RuntimeError as problem:
        raise InputError(f"{os.fspath(path)} holds a network of another version: {problem}") from problem
    return net.train(False), tuple(facts["classes"])


def export(
    trained: File,
    path: File,
    *,
    fp16_weights: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a network of `fit` as ONNX with both outputs, `logits8` and `labels`, compared with it on the way.

    Raises
    ------
    InputError
        One of the files is none, or cannot be written.
    IntegrityError
        onnxruntime finds something else than torch.
    """
    net, classes = load_trained(trained)
    metadata = {
        TASK_KEY: TASK,
        CLASSES_KEY: json.dumps(classes),
        INPUT_KEY: INPUT,
        STRIDE_KEY: str(MULTIPLE),
    }
    export_onnx(
        net,
        path,
        input_shape=(1, 3, 2 * MULTIPLE, 3 * MULTIPLE),
        labels_scale=STRIDE,
        fp16_weights=fp16_weights,
        metadata=metadata,
        overwrite=overwrite,
    )
