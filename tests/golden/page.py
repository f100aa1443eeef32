# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rows of the reference's AltCLIP page: every argument and every returned field that the
installed transformers documents, or has in a signature, for the classes of that page.

`Class.method(argument)`, `Class.method -> field`; `Class(argument=value)` where the documentation
lists the values that are supported.
"""

import inspect
import re

import transformers
from transformers import (AltCLIPConfig, AltCLIPModel, AltCLIPProcessor, AltCLIPTextConfig, AltCLIPTextModel,
                          AltCLIPVisionConfig, AltCLIPVisionModel, CLIPImageProcessor, PretrainedConfig)

CONFIGS = [AltCLIPConfig, AltCLIPTextConfig, AltCLIPVisionConfig]
# Beside the page itself; transformers 5 gives it the arguments of every image processor there is.
IMAGE_PROCESSORS = [CLIPImageProcessor] if transformers.__version__ < "5" else []
METHODS = [(AltCLIPConfig, "from_text_vision_configs"),
           (AltCLIPModel, "forward"), (AltCLIPModel, "get_text_features"), (AltCLIPModel, "get_image_features"),
           (AltCLIPTextModel, "forward"), (AltCLIPVisionModel, "forward"),
           (AltCLIPProcessor, "__call__"), (AltCLIPProcessor, "decode"), (AltCLIPProcessor, "batch_decode")]
# What the documentation lists, and of activations what the reference's table of them has beside.
VALUES = {
    "AltCLIPTextConfig(hidden_act)": ["gelu", "relu", "silu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "swish",
                                      "selu"],
    "AltCLIPVisionConfig(hidden_act)": ["gelu", "relu", "selu", "gelu_new", "quick_gelu", "gelu_pytorch_tanh", "silu",
                                        "swish"],
    "AltCLIPTextConfig(position_embedding_type)": ["absolute", "relative_key", "relative_key_query"],
}
NOT_ARGUMENTS = {"self", "args", "kwargs", "super_kwargs", "cls"}


def documented(function):
    """(arguments, returned fields) that a docstring describes."""
    text = function.__doc__ or ""
    arguments, _, returns = text.partition("Returns:")
    arguments = re.split(r"Examples?:", arguments)[0]
    names = re.findall(r"^ *(\w+) \([`\[].*\):?", arguments, re.MULTILINE)
    returns = re.split(r"Examples?:", returns)[0]
    fields = re.findall(r"^ *- \*\*(\w+)\*\*", returns, re.MULTILINE)
    return names, fields or re.findall(r"^ *(\w+) \(`", returns, re.MULTILINE)


def signature(function):
    return [name for name in inspect.signature(function).parameters if name not in NOT_ARGUMENTS]


def in_order(names):
    return list(dict.fromkeys(name for name in names if name not in NOT_ARGUMENTS))


def arguments(kind):
    """A class's own; what every configuration of the library has is described elsewhere."""
    return [name for name in in_order(documented(kind)[0] + signature(kind)) if name not in signature(PretrainedConfig)]


def class_rows(kind):
    for name in arguments(kind):
        row = f"{kind.__name__}({name})"
        yield row
        for value in VALUES.get(row, []):
            yield f"{kind.__name__}({name}={value})"


def method_rows(owner, name):
    function = getattr(owner, name, None)
    if function is None:
        return
    full = f"{owner.__name__}.{name}"
    arguments, fields = documented(function)
    rows = [f"{full}({argument})" for argument in in_order(arguments + signature(function))]
    rows += [f"{full} -> {field}" for field in fields]
    yield from rows or [full]


def rows():
    for kind in CONFIGS + [AltCLIPProcessor] + IMAGE_PROCESSORS:
        yield from class_rows(kind)
    for owner, name in METHODS:
        yield from method_rows(owner, name)


def values(*configs):
    """{"Class(argument)": value} of numbers and names."""
    found = {}
    for config in configs:
        for name in arguments(type(config)):
            value = getattr(config, name)
            if isinstance(value, (int, float, str)):
                found[f"{type(config).__name__}({name})"] = value
    return found


def covered(config):
    """The rows of a configuration that are not as the class has them; and its values, of those listed."""
    kind = type(config)
    for name in arguments(kind):
        row = f"{kind.__name__}({name})"
        value = getattr(config, name)
        if row in VALUES:
            yield f"{kind.__name__}({name}={value})"
        if value != getattr(kind(), name):
            yield row
