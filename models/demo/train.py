# SPDX-License-Identifier: LGPL-2.1-or-later
"""Train the bundled demo model from nothing and write the model directory.

    pip install torch==2.13.0 transformers==4.46.3 sentencepiece pillow scikit-image
    python models/demo/train.py --work /some/folder --out models/demo

Needs gst-launch-1.0 for real test-source frames.  The steps, the seeds and the pictures
are fixed; the time (about an hour on two cores with bf16 arithmetic) is not part of the schedule.
A run that is interrupted goes on from its last checkpoint when the same line is given again.

How it learns.  Every concept has a fixed code (phrases.py): the unit-length sum of the
directions of its colour, its shape or its fault.  The text tower learns to turn any wording in
six languages into the code, the image tower learns to turn pictures into it, and so the
two meet without ever having to search for each other; that is several times faster here
than a contrastive loss on batches this small.  The pairs in phrases.UNSEEN appear in
neither, not even as wrong answers.  Two small heads that ask the patches what
shape and colour lies under them teach the image tower where to look; they are thrown away.
"""

import argparse
import json
import math
import os
import shutil
import time

import numpy as np
import sentencepiece
import torch
import torch.distributed
import torch.multiprocessing
import torch.nn.functional as F
from sentencepiece import sentencepiece_model_pb2
from transformers import AltCLIPConfig, AltCLIPModel, CLIPImageProcessor, XLMRobertaTokenizer

import pool
import scenes
from phrases import (ATTRIBUTES, COLOURS, CONCEPTS, HEALTH, LANGUAGES, PICTURE_CONCEPTS, SHAPES, TAUGHT, UNSEEN,
                     codes, concept_code, concept_text)

SEED = 20260101
DIMENSIONS = 128
PIECES = 1200
POSITIONS = 98
POOL = 44000
POOL_SEED = 1000000
HALVES_POOL = 14000
FAULTS_POOL, FAULTS_JOIN = 6500, 3000
TEXT_STEPS, TEXT_BATCH, TEXT_RATE = 2000, 192, 1.5e-3
RANKS = 2
STEPS, COOL, BATCH, RATE, MUON_RATE = 4300, 1400, 64, 1e-3, 3e-3
WARM_UP = 250
EMA = 0.998
SHARP = 20.0
MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]


def log(*words):
    print(time.strftime("%H:%M:%S"), *words, flush=True)


# ---------------------------------------------------------------- tokenizer


def forget_paths(path):
    """Takes the trainer's paths, which differ from machine to machine, out of a tokenizer's file."""
    model = sentencepiece_model_pb2.ModelProto()
    with open(path, "rb") as f:
        model.ParseFromString(f.read())
    del model.trainer_spec.input[:]
    model.trainer_spec.ClearField("model_prefix")
    with open(path, "wb") as f:
        f.write(model.SerializeToString())


def train_tokenizer(folder):
    """A unigram model laid out as XLM-R's: <unk> <s> </s> first, nmt_nfkc, cased."""
    prefix = os.path.join(folder, "sentencepiece.bpe")
    g = np.random.default_rng(SEED)
    corpus = os.path.join(folder, "captions.txt")
    with open(corpus, "w") as f:
        for _ in range(90):
            for name in CONCEPTS:
                for language in LANGUAGES:
                    f.write(concept_text(name, language, g) + "\n")
        # text beyond the captions should not fall apart into unknowns
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789àâäçéèêëîïôöùûüñáíóúßÄÖÜÉÈÀÇÑÁÍÓÚœæ¿¡.,;:!?'\"-_/()+&%#@*=<>|~«»„“”‘’…、。，！？：；（）「」・ー"
        for c in letters:
            f.write((c + " ") * 6 + "\n")
    sentencepiece.SentencePieceTrainer.train(
        input=corpus, model_prefix=prefix, vocab_size=PIECES, model_type="unigram", normalization_rule_name="nmt_nfkc",
        character_coverage=1.0, byte_fallback=False, unk_id=0, bos_id=1, eos_id=2, pad_id=-1, shuffle_input_sentence=False,
        num_threads=1, minloglevel=2)
    forget_paths(prefix + ".model")
    return prefix + ".model"


def encode(model, texts, sampling=None):
    """Ids as XLMRobertaTokenizer makes them, padded with 1; pieces are re-cut at random in training."""
    if sampling is not None:
        rows = [model.encode(t, enable_sampling=True, alpha=0.3, nbest_size=-1) if sampling.random() < 0.4 else model.encode(t) for t in texts]
    else:
        rows = [model.encode(t) for t in texts]
    rows = [[0] + [i + 1 if i else 3 for i in r][: POSITIONS - 4] + [2] for r in rows]
    longest = max(map(len, rows))
    ids = torch.tensor([r + [1] * (longest - len(r)) for r in rows])
    return ids, (ids != 1).long()


# ---------------------------------------------------------------- model


def new_model(pieces):
    config = AltCLIPConfig(
        text_config=dict(vocab_size=pieces + 2, hidden_size=128, num_hidden_layers=2, num_attention_heads=4, intermediate_size=512,
                         max_position_embeddings=POSITIONS, type_vocab_size=1, project_dim=DIMENSIONS, layer_norm_eps=1e-5,
                         hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=1, bos_token_id=0, eos_token_id=2),
        vision_config=dict(hidden_size=192, intermediate_size=768, num_hidden_layers=6, num_attention_heads=3, projection_dim=DIMENSIONS,
                           image_size=scenes.SIDE, patch_size=scenes.PATCH, hidden_act="quick_gelu"),
        projection_dim=DIMENSIONS, logit_scale_init_value=math.log(SHARP))
    return AltCLIPModel(config)


def groups(modules, decay):
    """Weight decay for matrices only."""
    named = [(n, p) for m in modules for n, p in m.named_parameters()]
    return [{"params": [p for _, p in named if p.ndim > 1], "weight_decay": decay}, {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0}]


def rate_at(step, steps, top, cool):
    """Warm up, stay, then cool down in a straight line over the last `cool` steps."""
    return top * min((step + 1) / WARM_UP, 1.0, max(0.01, (steps - step) / cool))



def share_gradients(modules):
    """The mean of the ranks' gradients, in one message."""
    grads = [p.grad for m in modules for p in m.parameters() if p.grad is not None]
    flat = torch.cat([x.flatten() for x in grads])
    torch.distributed.all_reduce(flat)
    flat /= RANKS
    at = 0
    for x in grads:
        x.copy_(flat[at : at + x.numel()].view_as(x))
        at += x.numel()


class Average:
    """Exponential moving average of a module's weights."""

    def __init__(self, module):
        self.weights = {n: p.detach().clone() for n, p in module.named_parameters()}
        self.steps = 0

    def update(self, module):
        self.steps += 1
        keep = min(EMA, self.steps / (self.steps + 10))
        with torch.no_grad():
            for n, p in module.named_parameters():
                self.weights[n].lerp_(p.detach(), 1 - keep)

    def state(self, module):
        return {**module.state_dict(), **self.weights}


# ---------------------------------------------------------------- text tower


def train_text(model, spm, directions, save):
    names = list(CONCEPTS)
    targets = torch.tensor(np.stack([concept_code(CONCEPTS[n], directions) for n in names]))
    weight = np.array([3.0 if n in HEALTH else 6.0 if n == "unknown" else 1.0 for n in names])
    weight /= weight.sum()
    g = np.random.default_rng(SEED + 1)
    modules = [model.text_model, model.text_projection]
    optimiser = torch.optim.AdamW(groups(modules, 0.02), lr=TEXT_RATE, betas=(0.9, 0.98))
    model.text_model.train()
    for step in range(TEXT_STEPS):
        which = g.choice(len(names), TEXT_BATCH, p=weight)
        texts = [concept_text(names[i], LANGUAGES[g.integers(6)], g) for i in which]
        ids, mask = encode(spm, texts, sampling=g)
        which = torch.tensor(which)
        with torch.autocast("cpu", torch.bfloat16):
            out = model.text_projection(model.text_model(ids, attention_mask=mask)[1])
        e = F.normalize(out.float(), dim=-1)
        close = 1 - (e * targets[which]).sum(-1)
        loss = 3 * close.mean() + F.cross_entropy(SHARP * e @ targets.T, which)
        for p in optimiser.param_groups:
            p["lr"] = TEXT_RATE * min((step + 1) / WARM_UP, 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / TEXT_STEPS)))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for m in modules for p in m.parameters()], 1.0)
        optimiser.step()
        if step % 200 == 0 or step == TEXT_STEPS - 1:
            log("text", step, "loss %.3f distance %.3f right %.3f" % (loss.item(), close.mean().item(), ((e @ targets.T).argmax(-1) == which).float().mean().item()))
            save()
    model.text_model.eval()


# ---------------------------------------------------------------- image tower


def vary(pixels, turn, g):
    """Cheap changes that keep the label: flips and turns, a small shift, light, noise. Returns pictures and the turns made."""
    x = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()
    n, _, side, _ = x.shape
    x = F.pad(x, (4, 4, 4, 4), mode="replicate")
    quarter = g.integers(0, 4, n) * turn
    flip = g.random(n) < 0.5
    shift = g.integers(0, 9, (n, 2))
    shift[g.random(n) < 0.4] = 4
    rows = []
    for i in range(n):
        y = x[i, :, shift[i, 0] : shift[i, 0] + side, shift[i, 1] : shift[i, 1] + side]
        if quarter[i]:
            y = torch.rot90(y, int(quarter[i]), (1, 2))
        rows.append(y.flip(2) if flip[i] else y)
    x = torch.stack(rows)
    light = torch.from_numpy(g.uniform(0.93, 1.05, (n, 1, 1, 1)) * g.uniform(0.97, 1.03, (n, 3, 1, 1))).float()
    x = x * light
    noisy = np.flatnonzero(g.random(n) < 0.3)
    strength = g.uniform(0, 7, (len(noisy), 1, 1, 1)).astype(np.float32)
    x[noisy] += torch.from_numpy(g.standard_normal((len(noisy),) + x.shape[1:], np.float32) * strength)
    return x.round().clamp(0, 255), quarter, flip


def normalise(x):
    return (x / 255 - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


def turn_grid(grid, quarter, flip):
    rows = []
    for a, q, f in zip(grid, quarter, flip):
        a = np.rot90(a, int(q))
        rows.append(a[:, ::-1] if f else a)
    return torch.from_numpy(np.stack(rows).astype(np.int64))


def pictures(work):
    """The pool: pictures of the concepts, of half a pair, and more faults; their pixels stay three files."""
    folder = os.path.join(work, "pool")
    first = pool.render(POOL, POOL_SEED, folder)
    second = pool.render(HALVES_POOL, scenes.HALVES_FROM, folder, sources=False)
    third = pool.render(FAULTS_POOL, scenes.FAULTS_FROM, folder, sources=False)
    parts = (first, second, third)
    whole = {n: np.concatenate([p[n] for p in parts]) for n in first if n not in ("pixels", "sources")}
    return {**whole, "pixels": [p["pixels"] for p in parts], "sources": first["sources"]}


def take(files, numbers):
    """Rows of several files laid end to end."""
    rows = []
    for i in numbers:
        for f in files:
            if i < len(f):
                rows.append(f[i])
                break
            i -= len(f)
    return np.stack(rows)


class Order:
    """Which pictures come when: easy ones first, every one about equally often, test-source frames three times."""

    def __init__(self, data, start):
        self.data = data
        self.g = np.random.default_rng(SEED + 2 + start)
        self.queue = np.array([], int)

    def next(self, step, count):
        if step == FAULTS_JOIN:
            self.queue = self.queue[:0]
        while len(self.queue) < count:
            allowed = 0 if step < 336 else 1 if step < 728 else 3 if step < 1120 else scenes.HARDEST if step < FAULTS_JOIN else scenes.LAST
            hard = self.data["difficulty"]
            usable = np.flatnonzero((hard <= allowed) | ((self.data["concept"] < len(HEALTH)) & (hard < scenes.LAST)))
            usable = np.concatenate([usable, np.tile(np.arange(self.data["sources"]), 2)])
            self.queue = np.concatenate([self.queue, self.g.permutation(usable)])
            if allowed < scenes.HARDEST:
                # the queue must not outlive its stage
                self.queue = self.queue[: 168 * count]
        taken, self.queue = self.queue[:count], self.queue[count:]
        return taken


def train_images(rank, model, data, directions, work, export, steps, export_every):
    targets = torch.tensor(np.stack([concept_code(CONCEPTS[n], directions) for n in TAUGHT]))
    first_pair = len(HEALTH)
    first_half = len(PICTURE_CONCEPTS)
    # which colour and which shape a concept holds; -1 for none
    colour_of = torch.tensor([max([k for k, c in enumerate(COLOURS) if c in n.split()], default=-1) if i >= first_pair else -1 for i, n in enumerate(TAUGHT)])
    shape_of = torch.tensor([max([k for k, s in enumerate(SHAPES) if s in n.split()], default=-1) if i >= first_pair else -1 for i, n in enumerate(TAUGHT)])
    colour_axes = torch.tensor(directions[[ATTRIBUTES.index(c) for c in COLOURS]])
    shape_axes = torch.tensor(directions[[ATTRIBUTES.index(s) for s in SHAPES]])
    patch_shape = torch.nn.Linear(192, 1 + len(SHAPES))
    patch_colour = torch.nn.Linear(192, 1 + len(COLOURS))
    shape_weight = torch.tensor([0.25] + [1.0] * len(SHAPES))
    colour_weight = torch.tensor([0.25] + [1.0] * len(COLOURS))

    tower = torch.nn.ModuleDict({"vision": model.vision_model, "projection": model.visual_projection})
    modules = [tower, patch_shape, patch_colour]
    # the blocks' matrices learn about twice as fast with orthogonalised momentum; the rest is AdamW's
    blocks = [p for p in model.vision_model.encoder.parameters() if p.ndim == 2]
    inside = {id(p) for p in blocks}
    others = [{**x, "params": [p for p in x["params"] if id(p) not in inside]} for x in groups(modules, 0.05)]
    optimisers = [torch.optim.AdamW(others, lr=RATE, betas=(0.9, 0.98)),
                  torch.optim.Muon(blocks, lr=MUON_RATE, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw")]
    average = Average(tower)
    # both ranks draw the same order of pictures and take every other one; the small changes differ
    g = np.random.default_rng(SEED + 3 + 100003 * rank)
    checkpoint = os.path.join(work, "image.pt")
    start = 0
    if os.path.exists(checkpoint):
        # an interrupted run goes on, with the order of pictures drawn anew
        saved = torch.load(checkpoint, weights_only=False)
        start = saved["step"]
        for m, s in zip(modules, saved["modules"]):
            m.load_state_dict(s)
        for o, x in zip(optimisers, saved["optimisers"]):
            o.load_state_dict(x)
        average.weights, average.steps = saved["average"], saved["steps"]
        g = np.random.default_rng(SEED + 3 + start + 100003 * rank)
        log("goes on at step", start)

    order = Order(data, start)
    sums, began = np.zeros(7), time.time()
    for step in range(start, steps):
        taken = order.next(step, BATCH)[rank::RANKS]
        label = torch.from_numpy(data["concept"][taken].astype(np.int64))
        is_pair = label >= first_pair
        x, quarter, flip = vary(take(data["pixels"], taken), is_pair.numpy().astype(int), g)
        with torch.autocast("cpu", torch.bfloat16):
            out = model.vision_model(normalise(x), output_hidden_states=True)
            embedding = model.visual_projection(out.pooler_output)
            patches = out.hidden_states[4][:, 1:]
            said_shape, said_colour = patch_shape(patches), patch_colour(patches)
        e = F.normalize(embedding.float(), dim=-1)
        logits = SHARP * e @ targets.T
        either = torch.from_numpy(data["either"][taken].astype(np.int64))
        for k in range(2):
            has = (either[:, k] != scenes.NOTHING) & (either[:, k] != label)
            logits[has.nonzero()[:, 0], either[has, k]] = -1e4
        # half a concept is no wrong answer for the whole of it
        logits[label < first_half, first_half:] = -1e4
        loss_class = F.cross_entropy(logits, label)
        loss_code = (1 - (e * targets[label]).sum(-1)).mean()
        loss_parts = (F.cross_entropy(SHARP * e @ colour_axes.T, colour_of[label], ignore_index=-1)
                      + F.cross_entropy(SHARP * e @ shape_axes.T, shape_of[label], ignore_index=-1))
        grid_shape = turn_grid(data["shapes"][taken], quarter, flip).flatten()
        grid_colour = turn_grid(data["colours"][taken], quarter, flip).flatten()
        loss_patch = (F.cross_entropy(said_shape.float().flatten(0, 1), grid_shape, shape_weight, ignore_index=scenes.NOTHING)
                      + F.cross_entropy(said_colour.float().flatten(0, 1), grid_colour, colour_weight, ignore_index=scenes.NOTHING))
        loss = loss_class + 2 * loss_code + 0.7 * loss_parts + loss_patch
        for o, top in zip(optimisers, (RATE, MUON_RATE)):
            for p in o.param_groups:
                p["lr"] = rate_at(step, steps, top, COOL)
            o.zero_grad()
        loss.backward()
        share_gradients(modules)
        torch.nn.utils.clip_grad_norm_([p for m in modules for p in m.parameters()], 1.0)
        for o in optimisers:
            o.step()
        average.update(tower)
        right = (logits.argmax(-1) == label).float()
        sums += [loss.item(), loss_class.item(), loss_code.item(), loss_parts.item(), loss_patch.item(), right[is_pair].mean().item(), right[~is_pair].mean().item()]
        if (step + 1) % 100 == 0 and rank == 0:
            log("image %d  loss %.3f class %.3f code %.3f parts %.3f patch %.3f  right: pairs %.3f health %.3f  %.2f steps/s" % (
                step + 1, *(sums / 100), 100 / (time.time() - began)))
            sums[:], began = 0, time.time()
        if (step + 1) % 250 == 0 and rank == 0:
            torch.save({"step": step + 1, "modules": [m.state_dict() for m in modules], "optimisers": [o.state_dict() for o in optimisers],
                        "average": average.weights, "steps": average.steps}, checkpoint + ".new")
            os.replace(checkpoint + ".new", checkpoint)
        if rank == 0 and export_every and (step + 1) % export_every == 0 and step + 1 < steps:
            export(average.state(tower))
    return average.state(tower)


# ---------------------------------------------------------------- the directory


def write_directory(model, tower_state, tokenizer, out):
    """Write the four files beside their places, then move them in, so that a reader never sees half a model."""
    config = AltCLIPConfig.from_dict(model.config.to_dict())
    whole = AltCLIPModel(config)
    whole.load_state_dict(model.state_dict())
    torch.nn.ModuleDict({"vision": whole.vision_model, "projection": whole.visual_projection}).load_state_dict(tower_state)
    fresh = os.path.join(out, ".writing")
    shutil.rmtree(fresh, ignore_errors=True)
    whole.half().save_pretrained(fresh, safe_serialization=True)
    CLIPImageProcessor(size={"shortest_edge": scenes.SIDE}, crop_size={"height": scenes.SIDE, "width": scenes.SIDE}, resample=3,
                       image_mean=MEAN, image_std=STD, do_convert_rgb=True).save_pretrained(fresh)
    XLMRobertaTokenizer(tokenizer, model_max_length=POSITIONS - 2).save_pretrained(fresh)
    path = os.path.join(fresh, "preprocessor_config.json")
    settings = json.load(open(path))
    settings["processor_class"] = "AltCLIPProcessor"
    json.dump(settings, open(path, "w"), indent=2)
    for name in ["model.safetensors", "sentencepiece.bpe.model", "preprocessor_config.json", "tokenizer_config.json", "config.json"]:
        os.chmod(os.path.join(fresh, name), 0o644)
        os.replace(os.path.join(fresh, name), os.path.join(out, name))
    shutil.rmtree(fresh)


def work_on(part, given, tokenizer):
    """One process, one thread: parts 0 and 1 are the image tower's ranks, part 2 is the text tower.

    One thread each, because two threads meet at every small operation, and wait there
    whenever anything else runs on the machine; two ranks meet once a step.
    """
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    directions = codes(DIMENSIONS)
    spm = sentencepiece.SentencePieceProcessor(model_file=tokenizer)
    model = new_model(spm.get_piece_size())
    text_file = os.path.join(given.work, "text.pt")

    def save_text():
        keep = {n: v for n, v in model.state_dict().items() if n.startswith("text_")}
        torch.save(keep, text_file + ".new")
        os.replace(text_file + ".new", text_file)

    if part == RANKS:
        train_text(model, spm, directions, save_text)
        return
    torch.distributed.init_process_group("gloo", init_method="file://" + os.path.join(given.work, "meeting"), rank=part, world_size=RANKS)
    data = pictures(given.work)

    def export(state):
        if os.path.exists(text_file):
            model.load_state_dict(torch.load(text_file), strict=False)
            write_directory(model, state, tokenizer, given.out)
            log("wrote", given.out)

    state = train_images(part, model, data, directions, given.work, export, given.steps, given.export_every)
    if part == 0:
        torch.save(state, os.path.join(given.work, "image-average.pt"))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--work", required=True, help="folder for the pool of pictures and the checkpoints")
    options.add_argument("--out", required=True, help="model directory to write")
    options.add_argument("--steps", type=int, default=STEPS)
    options.add_argument("--export-every", type=int, default=0, help="also write the directory every so many steps")
    given = options.parse_args()
    os.makedirs(given.work, exist_ok=True)
    os.makedirs(given.out, exist_ok=True)
    began = time.time()
    tokenizer = train_tokenizer(given.work)
    pictures(given.work)
    log("pool ready after %.0f s; never shown: %s" % (time.time() - began, UNSEEN))

    meeting = os.path.join(given.work, "meeting")
    if os.path.exists(meeting):
        os.remove(meeting)
    text_done = os.path.join(given.work, "text.done")
    parts = range(RANKS if os.path.exists(text_done) else RANKS + 1)
    spawn = torch.multiprocessing.get_context("spawn")
    crew = [spawn.Process(target=work_on, args=(part, given, tokenizer)) for part in parts]
    for process in crew:
        process.start()
    for process in reversed(crew):
        process.join()
        if process.exitcode:
            raise SystemExit("a part of the training failed")
        if len(crew) > RANKS and process is crew[-1]:
            open(text_done, "w").close()

    torch.manual_seed(SEED)
    model = new_model(sentencepiece.SentencePieceProcessor(model_file=tokenizer).get_piece_size())
    model.load_state_dict(torch.load(os.path.join(given.work, "text.pt")), strict=False)
    write_directory(model, torch.load(os.path.join(given.work, "image-average.pt")), tokenizer, given.out)
    log("%d parameters, finished after %.0f minutes" % (sum(p.numel() for p in model.parameters()), (time.time() - began) / 60))


if __name__ == "__main__":
    main()
