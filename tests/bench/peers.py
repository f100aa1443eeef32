#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long pictures take here and in the runtimes that people would otherwise use.

    pip install -r tests/bench/requirements.txt
    tests/bench/peers.py                        ViT-L/14, ViT-B/32 and the bundled model, 1 and 8 pictures
    tests/bench/peers.py --short                ViT-B/32 and the bundled model, 1 picture: two minutes
    tests/bench/peers.py --models vit-l-14 --batches 1 --precisions int8 --rounds 20

All runtimes have the same weights (random ones, but for the bundled model), the same pictures and as
many threads, and compute the image tower alone. Each is a process that is asked for a turn, one after
the other, round after round, and stopped meanwhile, so that what else the machine does meets them all.

Prints, for each, the median of the rounds in milliseconds a picture and the quartiles; the share of
what the cores multiply at most, which peak.c measures in a turn of its own; and the least cosine of
its embeddings to those of altclip in f32, less their mean. Then, for each precision, what altclip takes
beside the best of the others, as medians and as quartiles of the rounds. "onednn" is the matrix
products alone, and no peer. Products count as two operations a weight and row, those of attention with
them.

bf16 is left out where the CPU has no instructions for it, unless --precisions names it. Models and what
others make of them stay in --folder, some 6 GB with ViT-L/14; with all runtimes in memory it takes 12 GB.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from contender import read_config

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHAPES = {"vit-l-14": (1024, 24, 16, 14, 768), "vit-b-32": (768, 12, 12, 32, 512)}
PEERS = ["pytorch", "onnxruntime", "openvino"]
# What there is no route to.
LACKS = {("onnxruntime", "bf16"), ("onednn", "bf16")}
N_PICTURES = 8
PEAK_MS = 60


# ---------------------------------------------------------------- models and pictures


def make_model(name, command, folder):
    """Returns the directory of the model of that name."""
    if name not in SHAPES:
        return str(ROOT / "models" / "demo") if name == "demo" else name
    directory = os.path.join(folder, name)
    if os.path.exists(os.path.join(directory, "model.safetensors")):
        return directory
    width, layers, heads, patch, projection = SHAPES[name]
    config = {"model_type": "altclip", "projection_dim": projection,
              "text_config": {"vocab_size": 16, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
                              "num_attention_heads": 1, "max_position_embeddings": 16, "project_dim": 8},
              "vision_config": {"hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers,
                                "num_attention_heads": heads, "patch_size": patch, "image_size": 224,
                                "projection_dim": projection, "hidden_act": "quick_gelu"}}
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "shape.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    subprocess.run([command, "init", "--config", file.name, directory], check=True)
    return directory


def read_pictures(size):
    """Photographs that scikit-image ships, as pixel values."""
    import skimage
    from PIL import Image

    names = ["astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
             "rocket.jpg"]
    mean = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
    deviation = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
    pictures = []
    for name in names[:N_PICTURES]:
        with Image.open(os.path.join(os.path.dirname(skimage.__file__), "data", name)) as picture:
            side = min(picture.size)
            left, top = (picture.size[0] - side) // 2, (picture.size[1] - side) // 2
            square = picture.convert("RGB").crop((left, top, left + side, top + side))
            rgb = np.asarray(square.resize((size, size), Image.Resampling.BICUBIC), np.float32)
        pictures.append(((rgb / 255 - mean) / deviation).transpose(2, 0, 1))
    return np.ascontiguousarray(np.stack(pictures))


def count_operations(config):
    """Billions of operations of a picture's products."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    patches = (config["image_size"] // config["patch_size"]) ** 2
    tokens = patches + 1
    block = 2 * tokens * (4 * width * width + 2 * width * inner) + 4 * tokens * tokens * width
    first = 2 * patches * width * config["num_channels"] * config["patch_size"] ** 2
    return (config["num_hidden_layers"] * block + first) * 1e-9


# ---------------------------------------------------------------- contenders


class Contender:
    """A process that holds one runtime, and stands still unless it has its turn."""

    def __init__(self, runtime, precision, arguments, log):
        self.runtime = runtime
        self.precision = precision
        self.rounds = []  # milliseconds a picture
        self.cosine = None
        self.process = subprocess.Popen([sys.executable, str(HERE / "contender.py"), runtime, precision, *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.name = self.read()["ready"]
        self.process.send_signal(signal.SIGSTOP)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.runtime} in {self.precision} ended")
        return json.loads(line)

    def ask(self, request):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        answer = self.read()
        self.process.send_signal(signal.SIGSTOP)
        return answer

    def end(self):
        self.process.kill()
        self.process.wait()


def start(runtime, precision, arguments):
    """Returns None for a runtime that does not work here, and says why."""
    with tempfile.TemporaryFile("w+") as log:
        try:
            return Contender(runtime, precision, arguments, log)
        except RuntimeError as error:
            log.seek(0)
            last = (log.read().strip().splitlines() or [""])[-1]
            print(f"left out: {error}: {last}", flush=True)
            return None


def find_least_cosine(embeddings, full):
    a = np.array(embeddings, np.float64)
    b = np.array(full, np.float64)
    a -= a.mean(0)
    b -= b.mean(0)
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min())


def compare_embeddings(contenders, path):
    full = None
    for contender in contenders:
        embeddings = contender.ask(f"embed {path}")["embeddings"]
        if contender.runtime == "altclip" and contender.precision == "f32":
            full = embeddings
        if embeddings and full:
            contender.cosine = find_least_cosine(embeddings, full)


# ---------------------------------------------------------------- measuring


def build_peak(folder):
    path = os.path.join(folder, "peak")
    subprocess.run(["cc", "-O2", "-pthread", "-o", path, str(HERE / "peak.c")], check=True)
    return path


def measure_peak(path, precision, threads, clock):
    """Returns billions of operations a second; None where it cannot be measured."""
    result = subprocess.run([path, precision, str(threads), str(PEAK_MS), clock], stdout=subprocess.PIPE, text=True,
                            check=False)
    return float(result.stdout) if result.returncode == 0 else None


def play(contenders, peak, peaks, options, batch):
    """The rounds; each begins with another contender."""
    for number in range(options.rounds):
        at = number % len(contenders)
        for contender in contenders[at:] + contenders[:at]:
            times = contender.ask(f"run {options.turn}")["ms"]
            contender.rounds.append(statistics.median(times) / batch)
        for precision, rates in peaks.items():
            rate = measure_peak(peak, precision, options.threads, options.clock)
            if rate:
                rates.append(rate)


def find_quartiles(numbers):
    if len(numbers) < 2:
        return numbers[0], numbers[0]
    first, _, third = statistics.quantiles(numbers, n=4, method="inclusive")
    return first, third


def describe(contender, operations, peaks):
    median = statistics.median(contender.rounds)
    rates = peaks.get(contender.precision)
    return {"runtime": contender.runtime, "precision": contender.precision, "ms": median,
            "quartiles": find_quartiles(contender.rounds), "how": contender.name,
            "share_of_peak": operations / median * 1000 / statistics.median(rates) if rates else None,
            "least_cosine": contender.cosine}


def compare_times(contenders, precision):
    """Returns what altclip takes beside the best peer; None where there is none."""
    own = next((c for c in contenders if c.runtime == "altclip" and c.precision == precision), None)
    peers = [c for c in contenders if c.runtime in PEERS and c.precision == precision]
    if not own or not peers:
        return None
    best = min(peers, key=lambda peer: statistics.median(peer.rounds))
    ratios = [a / b for a, b in zip(own.rounds, best.rounds)]
    return {"precision": precision, "best_peer": best.runtime,
            "ratio": statistics.median(own.rounds) / statistics.median(best.rounds),
            "quartiles": find_quartiles(ratios)}


def print_rows(rows, ratios):
    print(f"{'':5} {'':12} {'ms a picture':>12}  {'quartiles':^17} {'of peak':>8}  {'cosine':>8}  how")
    for row in rows:
        low, high = row["quartiles"]
        share = f"{100 * row['share_of_peak']:.0f} %" if row["share_of_peak"] else ""
        cosine = f"{row['least_cosine']:.5f}" if row["least_cosine"] is not None else ""
        print(f"{row['precision']:5} {row['runtime']:12} {row['ms']:12.2f}  {low:8.2f}–{high:<8.2f} {share:>8}"
              f"  {cosine:>8}  {row['how']}")
    for ratio in ratios:
        low, high = ratio["quartiles"]
        print(f"{ratio['precision']}: altclip takes {ratio['ratio']:.2f} ({low:.2f}–{high:.2f}) of the time of "
              f"{ratio['best_peer']}")
    print(flush=True)


def run_case(name, batch, options, folder, peak):
    model = make_model(name, options.altclip, folder)
    config = read_config(model)
    files = os.path.join(folder, os.path.basename(name) + ".files")
    os.makedirs(files, exist_ok=True)
    pictures = os.path.join(files, "pictures.npy")
    np.save(pictures, read_pictures(config["image_size"]))

    arguments = [model, files, options.library, str(options.threads), str(batch), options.clock]
    contenders = [start(runtime, precision, arguments) for precision in options.precisions
                  for runtime in options.runtimes if (runtime, precision) not in LACKS]
    contenders = [contender for contender in contenders if contender]
    peaks = {precision: [] for precision in options.precisions if precision != "bf16"}
    try:
        compare_embeddings(contenders, pictures)
        play(contenders, peak, peaks, options, batch)
    finally:
        for contender in contenders:
            contender.end()
    operations = count_operations(config)
    rows = [describe(contender, operations, peaks) for contender in contenders]
    ratios = [ratio for ratio in (compare_times(contenders, p) for p in options.precisions) if ratio]
    print(f"{name}, {operations:.1f} GFLOP a picture, batch {batch}, {options.threads} threads, "
          f"{options.rounds} rounds, {options.clock} time")
    print("measured peak: " + ", ".join(f"{precision} {statistics.median(rates):.0f} G/s"
                                        for precision, rates in peaks.items() if rates))
    print_rows(rows, ratios)
    return {"model": name, "batch": batch, "threads": options.threads, "clock": options.clock, "rounds": options.rounds, "rows": rows,
            "ratios": ratios}


def has_bfloat16():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = file.read().split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="what takes two minutes")
    parser.add_argument("--models", nargs="+", help="vit-l-14, vit-b-32, demo or a directory of one's own")
    parser.add_argument("--batches", nargs="+", type=int, choices=range(1, N_PICTURES + 1), metavar="N",
                        help=f"pictures at a time, up to {N_PICTURES}")
    parser.add_argument("--precisions", nargs="+", choices=["f32", "bf16", "int8"])
    parser.add_argument("--runtimes", nargs="+", default=["altclip", *PEERS, "onednn"],
                        choices=["altclip", *PEERS, "onednn"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                        help="cpu: seconds of the processor, for machines that others use too; with --threads 1, "
                             "since those who wait for each other may spin")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--turn", type=float, default=0.1, help="seconds of a turn, one run at least (0.1)")
    parser.add_argument("--folder", help="where models are kept; else a new one that is deleted")
    parser.add_argument("--build", default=str(ROOT / "build"), help="the build folder")
    parser.add_argument("--output", help="a file to write all numbers to, as JSON lines")
    options = parser.parse_args()
    options.models = options.models or (["vit-b-32", "demo"] if options.short else ["vit-l-14", "vit-b-32", "demo"])
    options.batches = options.batches or ([1] if options.short else [1, 8])
    options.rounds = options.rounds or (3 if options.short else 11)
    options.altclip = os.path.join(options.build, "pipelines", "altclip")
    options.library = os.path.join(options.build, "engine", "libaltclip.so")
    if not options.precisions:
        options.precisions = ["f32", "bf16", "int8"] if has_bfloat16() else ["f32", "int8"]
        if "bf16" not in options.precisions:
            print("bf16 is left out: this CPU has no instructions for it.\n")
    return options


def main():
    options = parse_arguments()
    folder = options.folder or tempfile.mkdtemp(prefix="altclip-peers-")
    os.makedirs(folder, exist_ok=True)
    try:
        peak = build_peak(folder)
        for name in options.models:
            for batch in options.batches:
                result = run_case(name, batch, options, folder, peak)
                if options.output:
                    with open(options.output, "a", encoding="utf-8") as file:
                        file.write(json.dumps(result) + "\n")
    finally:
        if not options.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
