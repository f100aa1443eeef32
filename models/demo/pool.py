# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pool of training pictures, rendered once and kept as 8-bit pixels at the tower's size.

Rendering costs more than a training step would leave time for, so the pictures are
drawn before training, each from its own seed, and varied cheaply afterwards.
"""

import multiprocessing
import os

import numpy as np

import scenes
from phrases import PICTURE_CONCEPTS


def _start(photos):
    os.nice(5)
    scenes.load_photos(photos)


def render(count, first_seed, folder, sources=True, workers=2):
    """Render (or reopen) `count` samples; arrays in a dictionary, pixels mapped from disk."""
    os.makedirs(folder, exist_ok=True)
    side, grid = scenes.SIDE, scenes.GRID
    layout = {"pixels": (side, side, 3), "concept": (), "either": (2,), "shapes": (grid, grid), "colours": (grid, grid), "difficulty": ()}
    path = {n: os.path.join(folder, "%s-%d-%d.npy" % (n, first_seed, count)) for n in layout}
    done = os.path.join(folder, "complete-%d-%d" % (first_seed, count))
    if not os.path.exists(done):
        out = {n: np.lib.format.open_memmap(path[n], "w+", np.uint8, (count,) + s) for n, s in layout.items()}
        # real test-source frames come first, the drawn ones fill the rest
        start = 0
        for i, (seen, name) in enumerate(scenes.source_pictures(first_seed) if sources else []):
            out["pixels"][i] = seen
            out["concept"][i] = PICTURE_CONCEPTS.index(name)
            out["either"][i] = scenes.NOTHING
            if name == "ball":
                out["either"][i, 0] = PICTURE_CONCEPTS.index("white circle")
            out["difficulty"][i] = 1
            start = i + 1
        with multiprocessing.get_context("spawn").Pool(workers, _start, (scenes.TRAINING_PHOTOS,)) as crew:
            seeds = range(first_seed + start, first_seed + count)
            for i, s in enumerate(crew.imap(scenes.sample, seeds, chunksize=32), start):
                for n, value in zip(layout, s):
                    out[n][i] = value
                if i % 5000 == 0:
                    print("rendered %d of %d" % (i, count), flush=True)
        for a in out.values():
            a.flush()
        out["pixels"] = None
        open(done, "w").write(str(start))
    found = {n: np.load(path[n], mmap_mode="r" if n == "pixels" else None) for n in layout}
    found["sources"] = int(open(done).read())
    return found
