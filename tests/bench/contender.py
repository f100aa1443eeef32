#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One runtime with one image tower in memory, for peers.py to ask for a turn.

    contender.py RUNTIME PRECISION MODEL FOLDER LIBRARY THREADS BATCH CLOCK

CLOCK is wall, or cpu for seconds of the processor. Says {"ready": …} as a JSON line, and then answers each line of standard input:

    run SECONDS     {"ms": [milliseconds of each run of BATCH pictures]}, as many as fit, at least one
    embed FILE      {"embeddings": [[…], …]}: of the pictures in FILE, pixel values as NumPy keeps them
"""

import ctypes
import json
import os
import sys
import time

import numpy as np


def read_config(model):
    with open(os.path.join(model, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    vision = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
              "num_channels": 3, "image_size": 224, "patch_size": 32, "hidden_act": "quick_gelu",
              "layer_norm_eps": 1e-5}
    return {**vision, **config["vision_config"], "projection_dim": config["projection_dim"]}


# ---------------------------------------------------------------- altclip


class Options(ctypes.Structure):
    """AltclipModelOptions of altclip.h."""

    _fields_ = [("kernels", ctypes.c_char_p), ("threads", ctypes.c_uint), ("flags", ctypes.c_int),
                ("precision", ctypes.c_int)]


class Altclip:
    """libaltclip itself."""

    def __init__(self, precision, model, folder, library, threads, batch):
        del folder, batch
        self.library = ctypes.CDLL(library)
        self.library.altclip_model_open.restype = ctypes.c_void_p
        self.library.altclip_session_new.restype = ctypes.c_void_p
        self.library.altclip_model_get_kernels.restype = ctypes.c_char_p
        options = Options(None, threads, 0, ["auto", "f32", "bf16", "int8"].index(precision))
        opened = self.library.altclip_model_open(model.encode(), ctypes.byref(options), None, None)
        assert opened, f"{model} cannot be opened"
        self.session = self.library.altclip_session_new(ctypes.c_void_p(opened), threads, None)
        self.dim = read_config(model)["projection_dim"]
        self.name = self.library.altclip_model_get_kernels(ctypes.c_void_p(opened), None).decode()

    def run(self, pixels):
        embeddings = np.empty((len(pixels), self.dim), np.float32)
        done = self.library.altclip_session_encode_images(
            ctypes.c_void_p(self.session), pixels.ctypes.data_as(ctypes.c_void_p), len(pixels),
            embeddings.ctypes.data_as(ctypes.c_void_p), None)
        assert done
        return embeddings


# ---------------------------------------------------------------- PyTorch


def make_tower(model):
    """The image tower in PyTorch, as fast as its own functions make it: q, k, v in one product, and its
    own attention, which transformers does not use for AltCLIP."""
    import torch
    from safetensors.torch import load_file
    from torch import nn

    config = read_config(model)
    width, heads, eps = config["hidden_size"], config["num_attention_heads"], config["layer_norm_eps"]
    activations = {"quick_gelu": lambda x: x * torch.sigmoid(1.702 * x), "gelu": nn.functional.gelu}
    activate = activations[config["hidden_act"]]

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1 = nn.LayerNorm(width, eps)
            self.qkv = nn.Linear(width, 3 * width)
            self.out = nn.Linear(width, width)
            self.norm2 = nn.LayerNorm(width, eps)
            self.fc1 = nn.Linear(width, config["intermediate_size"])
            self.fc2 = nn.Linear(config["intermediate_size"], width)

        def forward(self, x):
            b, t, _ = x.shape
            q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            attended = nn.functional.scaled_dot_product_attention(q, k, v)
            x = x + self.out(attended.transpose(1, 2).reshape(b, t, width))
            return x + self.fc2(activate(self.fc1(self.norm2(x))))

    class Tower(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch = nn.Conv2d(config["num_channels"], width, config["patch_size"], config["patch_size"],
                                   bias=False)
            n_patches = (config["image_size"] // config["patch_size"]) ** 2
            self.first = nn.Parameter(torch.zeros(width))
            self.positions = nn.Parameter(torch.zeros(n_patches + 1, width))
            self.pre_norm = nn.LayerNorm(width, eps)
            self.blocks = nn.ModuleList(Block() for _ in range(config["num_hidden_layers"]))
            self.post_norm = nn.LayerNorm(width, eps)
            self.projection = nn.Linear(width, config["projection_dim"], bias=False)

        def forward(self, pixels):
            x = self.patch(pixels).flatten(2).transpose(1, 2)
            x = torch.cat([self.first.expand(x.shape[0], 1, -1), x], 1) + self.positions
            x = self.pre_norm(x)
            for block in self.blocks:
                x = block(x)
            x = self.projection(self.post_norm(x[:, 0]))
            return x / x.norm(dim=-1, keepdim=True)

    stored = load_file(os.path.join(model, "model.safetensors"))
    vision = "vision_model."
    state = {"patch.weight": stored[vision + "embeddings.patch_embedding.weight"],
             "first": stored[vision + "embeddings.class_embedding"],
             "positions": stored[vision + "embeddings.position_embedding.weight"],
             "projection.weight": stored["visual_projection.weight"]}
    for end in "weight", "bias":
        state[f"pre_norm.{end}"] = stored[f"{vision}pre_layrnorm.{end}"]
        state[f"post_norm.{end}"] = stored[f"{vision}post_layernorm.{end}"]
        for i in range(config["num_hidden_layers"]):
            from_, to = f"{vision}encoder.layers.{i}.", f"blocks.{i}."
            state[f"{to}qkv.{end}"] = torch.cat([stored[f"{from_}self_attn.{x}_proj.{end}"] for x in "qkv"])
            state[f"{to}out.{end}"] = stored[f"{from_}self_attn.out_proj.{end}"]
            state[f"{to}norm1.{end}"] = stored[f"{from_}layer_norm1.{end}"]
            state[f"{to}norm2.{end}"] = stored[f"{from_}layer_norm2.{end}"]
            state[f"{to}fc1.{end}"] = stored[f"{from_}mlp.fc1.{end}"]
            state[f"{to}fc2.{end}"] = stored[f"{from_}mlp.fc2.{end}"]
    tower = Tower()
    tower.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return tower.eval()


class PyTorch:
    """Eager; int8 is its dynamic quantization of linear layers."""

    def __init__(self, precision, model, folder, library, threads, batch):
        import torch

        del folder, library, batch
        self.torch = torch
        torch.set_num_threads(threads)
        self.tower = make_tower(model)
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.name = "eager"
        if precision == "bf16":
            self.tower = self.tower.to(torch.bfloat16)
        if precision == "int8":
            torch.backends.quantized.engine = "x86"
            self.tower = torch.ao.quantization.quantize_dynamic(self.tower, {torch.nn.Linear}, torch.qint8)

    def run(self, pixels):
        with self.torch.inference_mode():
            return self.tower(self.torch.from_numpy(pixels).to(self.dtype)).float().numpy()


class Chain:
    """The tower's matrix products alone, one after the other on what there is, with weights that oneDNN
    packed: what is left when nothing else is done. Biases are added, and quick_gelu is not."""

    def __init__(self, precision, model, folder, library, threads, batch):
        import torch

        del folder, library
        config = read_config(model)
        width, inner = config["hidden_size"], config["intermediate_size"]
        self.torch = torch
        self.precision = precision
        self.name = "products alone"
        torch.set_num_threads(threads)
        self.rows = batch * ((config["image_size"] // config["patch_size"]) ** 2 + 1)
        self.layers = [self.pack(n, k) for _ in range(config["num_hidden_layers"])
                       for n, k in ((3 * width, width), (width, width), (inner, width), (width, inner))]
        self.inputs = {k: self.make_input(k) for k in (width, inner)}

    def pack(self, n, k):
        torch = self.torch
        weights = torch.randn(n, k) * 0.02
        if self.precision == "f32":
            return k, torch.ops.mkldnn._reorder_linear_weight(weights, self.rows), torch.zeros(n)
        steps = weights.abs().amax(1) / 127
        integers = (weights / steps[:, None]).round().to(torch.int8)
        return k, (torch.ops.onednn.qlinear_prepack(integers, [self.rows, k]), steps,
                   torch.zeros(n, dtype=torch.int64)), torch.zeros(n)

    def make_input(self, k):
        torch = self.torch
        if self.precision == "f32":
            return torch.randn(self.rows, k)
        return torch.randint(0, 255, (self.rows, k), dtype=torch.uint8)

    def run(self, pixels):
        del pixels
        torch = self.torch
        with torch.inference_mode():
            for k, weights, bias in self.layers:
                if self.precision == "f32":
                    torch.ops.mkldnn._linear_pointwise(self.inputs[k], weights, bias, "none", [], "")
                else:
                    torch.ops.onednn.qlinear_pointwise(self.inputs[k], 0.01, 128, *weights, bias, 1.0, 0,
                                                       torch.float32, "none", [], "")
        return None


# ---------------------------------------------------------------- ONNX


def export(model, folder):
    """Returns the path of the tower as an ONNX file, made when it is not there."""
    import torch

    path = os.path.join(folder, "tower.onnx")
    if not os.path.exists(path):
        config = read_config(model)
        pixels = torch.zeros(2, config["num_channels"], config["image_size"], config["image_size"])
        torch.onnx.export(make_tower(model), (pixels,), path + ".part", dynamo=False, opset_version=17,
                          input_names=["pixels"], output_names=["embeddings"],
                          dynamic_axes={"pixels": {0: "batch"}, "embeddings": {0: "batch"}})
        os.rename(path + ".part", path)
    return path


def prepare(model, folder):
    """The same after ONNX Runtime's own clean-up, which its quantization asks for."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    path = os.path.join(folder, "prepared.onnx")
    if not os.path.exists(path):
        quant_pre_process(export(model, folder), path + ".part", skip_symbolic_shape=True)
        os.rename(path + ".part", path)
    return path


def quantize_dynamic(model, folder):
    from onnxruntime import quantization

    path = os.path.join(folder, "dynamic.onnx")
    if not os.path.exists(path):
        quantization.quantize_dynamic(prepare(model, folder), path + ".part", per_channel=True,
                                      weight_type=quantization.QuantType.QInt8, op_types_to_quantize=["MatMul"])
        os.rename(path + ".part", path)
    return path


def quantize_static(model, folder):
    """With the ranges that four of the pictures have; OpenVINO makes integers of it."""
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.pictures = iter(np.load(os.path.join(folder, "pictures.npy"))[:4])

        def get_next(self):
            picture = next(self.pictures, None)
            return None if picture is None else {"pixels": picture[None]}

    path = os.path.join(folder, "static.onnx")
    if not os.path.exists(path):
        quantization.quantize_static(prepare(model, folder), path + ".part", Reader(), per_channel=True,
                                     quant_format=quantization.QuantFormat.QDQ,
                                     activation_type=quantization.QuantType.QUInt8,
                                     weight_type=quantization.QuantType.QInt8, op_types_to_quantize=["MatMul"])
        os.rename(path + ".part", path)
    return path


class OnnxRuntime:
    """Its own CPU provider; int8 is its dynamic quantization of matrix products, a scale for each output."""

    def __init__(self, precision, model, folder, library, threads, batch):
        import onnxruntime

        del library, batch
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        path = quantize_dynamic(model, folder) if precision == "int8" else export(model, folder)
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.name = "dynamic" if precision == "int8" else "all optimisations"

    def run(self, pixels):
        return self.session.run(None, {"pixels": pixels})[0]


class OpenVino:
    """Compiled for one shape and for latency; int8 has scales for inputs that were found beforehand."""

    def __init__(self, precision, model, folder, library, threads, batch):
        import openvino

        del library
        config = read_config(model)
        core = openvino.Core()
        path = quantize_static(model, folder) if precision == "int8" else export(model, folder)
        graph = core.read_model(path)
        graph.reshape([batch, config["num_channels"], config["image_size"], config["image_size"]])
        compiled = core.compile_model(graph, "CPU", {
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32"})
        self.request = compiled.create_infer_request()
        self.name = "static" if precision == "int8" else "latency"

    def run(self, pixels):
        return self.request.infer([pixels])[0].copy()


# ---------------------------------------------------------------- turns

RUNTIMES = {"altclip": Altclip, "pytorch": PyTorch, "onnxruntime": OnnxRuntime, "openvino": OpenVino,
            "onednn": Chain}

# A run that is shorter finds caches that others have filled, unless one before it is not counted.
LONG = 0.3


CLOCKS = {"wall": time.monotonic, "cpu": time.process_time}


def take_turn(contender, pixels, seconds, read_clock):
    """Returns milliseconds of each run."""
    times = []
    end = None
    while end is None or not times or time.monotonic() < end:
        begin = read_clock()
        contender.run(pixels)
        passed = read_clock() - begin
        if end is not None or passed > LONG:
            times.append(passed * 1000)
        if end is None:
            end = time.monotonic() + seconds
    return times


def embed(contender, pictures, batch):
    parts = [contender.run(np.ascontiguousarray(pictures[i:i + batch])) for i in range(0, len(pictures), batch)]
    return None if parts[0] is None else np.concatenate(parts).tolist()


def main():
    runtime, precision, model, folder, library, threads, batch, clock = sys.argv[1:]
    batch = int(batch)
    # What libraries print goes elsewhere than the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    pictures = np.load(os.path.join(folder, "pictures.npy"))
    pixels = np.ascontiguousarray(pictures[:batch])
    contender = RUNTIMES[runtime](precision, model, folder, library, int(threads), batch)
    contender.run(pixels)
    print(json.dumps({"ready": contender.name}), file=answers, flush=True)
    for line in sys.stdin:
        word, argument = line.split()
        if word == "run":
            answer = {"ms": take_turn(contender, pixels, float(argument), CLOCKS[clock])}
        else:
            answer = {"embeddings": embed(contender, np.load(argument), batch)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
