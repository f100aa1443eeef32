# SPDX-License-Identifier: LGPL-2.1-or-later
"""What both scripts that train a tokenizer do to its file."""

from sentencepiece import sentencepiece_model_pb2


def forget_paths(path):
    """Takes the trainer's paths, which differ from machine to machine, out of a tokenizer's file."""
    model = sentencepiece_model_pb2.ModelProto()
    with open(path, "rb") as f:
        model.ParseFromString(f.read())
    del model.trainer_spec.input[:]
    model.trainer_spec.ClearField("model_prefix")
    with open(path, "wb") as f:
        f.write(model.SerializeToString())
