# SPDX-License-Identifier: LGPL-2.1-or-later
"""The models of make_model_golden.py: what each is like, in the names of the reference's classes.

Each is there for something, which `what` says; the test prints it. Further keys:

    text, vision     the sections of config.json; None: the directory holds the other tower only
    top              further fields of config.json
    projection_dim, logit_scale
    seed             of the weights; by default made of the name
    reference        the transformers that makes it: OLD, the default, or NEW
    alone            why the other one cannot read it
    dtype            of the stored weights; a dictionary: by the beginning of a tensor's name
    form             of the weights' files, see directories.py
    rename           {part of a tensor's name: what stands there in the file}
    extra            further tensors, which the reference does not look at: {name: shape}
    preprocessor     what of preprocessor_config.json is not as the class has it
    tokenizer        what tokenizer_config.json says
    texts, pictures  which of inputs.py's it is shown
    subset_texts, subset_pictures   and in the run that shows every layer,
    attentions       which for some has the attentions too
    interpolate      pictures have another size than the tower was trained on
    custom           a run with masks, positions and types of tokens that no tokenizer gives
"""

import torch

from inputs import LONG_TEXT, PICTURES, TEXTS

OLD, NEW = "4.46.3", "5.23.0"
NOT_RELATIVE = "it has no relative positions"

TEXT = {"hidden_size": 12, "num_attention_heads": 2, "intermediate_size": 20, "num_hidden_layers": 1,
        "max_position_embeddings": 40, "project_dim": 10}
VISION = {"hidden_size": 14, "num_attention_heads": 2, "intermediate_size": 22, "num_hidden_layers": 1,
          "image_size": 24, "patch_size": 8}


def whole(what, text, vision, **spec):
    """A model that is shown everything."""
    return dict({"what": what, "text": text, "vision": vision, "texts": list(range(len(TEXTS))),
                 "pictures": list(range(len(PICTURES))), "subset_texts": [0, 2, 12], "subset_pictures": 1,
                 "attentions": False}, **spec)


def tiny(what, text=None, vision=None, **spec):
    """A model that differs from TEXT and VISION in little."""
    text = None if spec.get("tower") == "vision" else dict(TEXT, **(text or {}))
    vision = None if spec.get("tower") == "text" else dict(VISION, **(vision or {}))
    return dict({"what": what, "text": text, "vision": vision, "texts": [0, 1, 12, 14], "pictures": [0, 1, 2],
                 "subset_texts": [1, 14], "subset_pictures": 2, "attentions": True, "projection_dim": 13, "logit_scale": 3.0}, **spec)


MODELS = {
    # ---- Shown everything. Head sizes: 12, 20, 24, 10, 36, 16 ----
    "patch14": whole(
        "patches of 14 that divide the picture; three layers",
        {"hidden_size": 40, "num_attention_heads": 2, "intermediate_size": 84, "num_hidden_layers": 2,
         "hidden_act": "gelu", "max_position_embeddings": 66, "project_dim": 32},
        {"hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 100, "num_hidden_layers": 3,
         "hidden_act": "quick_gelu", "image_size": 70, "patch_size": 14},
        projection_dim=24, logit_scale=4.6, seed=1),
    "patch16": whole(
        "patches of 16; a larger epsilon",
        {"hidden_size": 48, "num_attention_heads": 2, "intermediate_size": 72, "num_hidden_layers": 1,
         "hidden_act": "quick_gelu", "max_position_embeddings": 34, "project_dim": 20, "layer_norm_eps": 1e-3},
        {"hidden_size": 40, "num_attention_heads": 2, "intermediate_size": 60, "num_hidden_layers": 2,
         "hidden_act": "gelu", "image_size": 48, "patch_size": 16, "layer_norm_eps": 1e-3},
        projection_dim=33, logit_scale=2.6592, seed=2),
    "half": whole(
        "weights in float16",
        {"hidden_size": 36, "num_attention_heads": 3, "intermediate_size": 50, "num_hidden_layers": 3,
         "hidden_act": "gelu", "max_position_embeddings": 50, "project_dim": 28},
        {"hidden_size": 72, "num_attention_heads": 3, "intermediate_size": 90, "num_hidden_layers": 2,
         "hidden_act": "quick_gelu", "image_size": 98, "patch_size": 14},
        projection_dim=17, logit_scale=3.3, dtype=torch.float16, pictures=[0, 1, 2], seed=3),
    "bfloat": whole(
        "weights in bfloat16",
        {"hidden_size": 40, "num_attention_heads": 4, "intermediate_size": 64, "num_hidden_layers": 1,
         "hidden_act": "gelu_new", "max_position_embeddings": 40, "project_dim": 40},
        {"hidden_size": 36, "num_attention_heads": 1, "intermediate_size": 52, "num_hidden_layers": 1,
         "hidden_act": "gelu_pytorch_tanh", "image_size": 64, "patch_size": 32},
        projection_dim=32, logit_scale=4.0, dtype=torch.bfloat16, seed=4),
    "floor": whole(
        "pixels beyond the last whole patch; texts of 512 tokens; pictures stretched, then cropped",
        {"hidden_size": 24, "num_attention_heads": 2, "intermediate_size": 40, "num_hidden_layers": 1,
         "hidden_act": "relu", "max_position_embeddings": 514, "project_dim": 16},
        {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48, "num_hidden_layers": 1,
         "hidden_act": "silu", "image_size": 50, "patch_size": 16},
        projection_dim=16, logit_scale=3.0, seed=5,
        preprocessor={"size": {"height": 61, "width": 54}, "resample": 2}),
    "old": whole(
        "text_config_dict beside a stale text_config; two token types; pictures smaller than the crop",
        {"hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 56, "num_hidden_layers": 1,
         "hidden_act": "gelu", "max_position_embeddings": 45, "project_dim": 24, "type_vocab_size": 2},
        {"hidden_size": 24, "num_attention_heads": 2, "intermediate_size": 44, "num_hidden_layers": 1,
         "hidden_act": "quick_gelu", "image_size": 48, "patch_size": 14},
        projection_dim=40, logit_scale=2.0, form="old config", seed=6,
        preprocessor={"size": 41, "resample": 1, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.25]}),

    # ---- The weights' files ----
    "double": tiny(
        "weights in float64",
        {"hidden_act": "gelu_pytorch_tanh"}, {"hidden_act": "gelu_new"}, dtype=torch.float64),
    "mixed": tiny(
        "three types of weights in one file; embeddings of three numbers",
        {"hidden_act": "gelu_new", "layer_norm_eps": 1e-12}, {"layer_norm_eps": 1e-6}, projection_dim=3,
        logit_scale=0.0, dtype={"text_model.": torch.float16, "vision_model.": torch.bfloat16}),
    "odd-header": tiny(
        "a header of odd length, so that no tensor is aligned",
        {"hidden_act": "silu"}, {"hidden_act": "relu"}, form="odd header"),
    "shards": tiny("safetensors in several files", form="shards", subset_texts=[0, 14]),
    "bin": tiny("pytorch_model.bin", form="bin", logit_scale=4.6052),
    "bin-shards": tiny("pytorch_model.bin in several files, float16", form="bin shards", dtype=torch.float16),
    "bin-views": tiny(
        "pytorch_model.bin of views: strides, offsets, one storage of two tensors; bfloat16",
        form="bin views", dtype=torch.bfloat16),
    "extra": tiny(
        "tensors that no tower has: position_ids, a pooler, transformation_pre",
        extra={"text_model.roberta.embeddings.position_ids": [1, 40],
               "vision_model.embeddings.position_ids": [1, 10],
               "text_model.roberta.pooler.dense.weight": [12, 12], "text_model.roberta.pooler.dense.bias": [12],
               "text_model.transformation_pre.weight": [10, 12], "text_model.transformation_pre.bias": [10]}),
    "layer": tiny(
        "as transformers 5 writes it: layer. in both towers", reference=NEW, alone="other names",
        top={"initializer_factor": 0.3}),
    "layers": tiny(
        "layers. in both towers", reference=NEW, alone="other names",
        rename={"text_model.roberta.encoder.layer.": "text_model.roberta.encoder.layers.",
                "vision_model.encoder.layer.": "vision_model.encoder.layers."}),

    # ---- One tower ----
    "text-old": tiny(
        "AltCLIPTextModel of transformers 4, relative_key", {"position_embedding_type": "relative_key"}, tower="text",
        alone=NOT_RELATIVE),
    "vision-old": tiny("AltCLIPVisionModel of transformers 4", tower="vision"),
    "text-new": tiny("AltCLIPTextModel of transformers 5", tower="text", reference=NEW, alone="other names"),
    "vision-new": tiny("AltCLIPVisionModel of transformers 5", tower="vision", reference=NEW,
                       alone="other names"),

    # ---- The text tower ----
    "relative-key": tiny(
        "positions: relative_key; two layers",
        {"position_embedding_type": "relative_key", "num_hidden_layers": 2, "num_attention_heads": 4},
        texts=[0, 1, 2, 12, 14, 15, LONG_TEXT], custom=True, alone=NOT_RELATIVE),
    "relative-key-query": tiny(
        "positions: relative_key_query; texts of 512 tokens",
        {"position_embedding_type": "relative_key_query", "max_position_embeddings": 514, "hidden_size": 8},
        texts=[0, 12, LONG_TEXT], subset_texts=[0, 12], custom=True,
        alone=NOT_RELATIVE),
    "types": tiny(
        "three token types; one head of 64",
        {"type_vocab_size": 3, "hidden_size": 64, "num_attention_heads": 1, "hidden_act": "swish"},
        {"hidden_act": "swish"}, custom=True, dtype=torch.float16),
    "special-ids": tiny(
        "a list of ends, another beginning and padding id in config.json; heads of one number",
        {"eos_token_id": [2, 7], "bos_token_id": 5, "pad_token_id": 4, "num_attention_heads": 12},
        alone="it wants one end"),
    "truncated": tiny(
        "texts cut at the tokenizer's limit, not at the model's", texts=[0, 3, 14, LONG_TEXT], subset_texts=[0, 14],
        tokenizer={"model_max_length": 9}),
    "training": tiny(
        "what matters in training only",
        {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.4, "initializer_range": 0.5,
         "initializer_factor": 0.1, "use_cache": False},
        {"attention_dropout": 0.2, "initializer_range": 0.5, "initializer_factor": 0.7, "projection_dim": 99},
        top={"logit_scale_init_value": 1.0}),

    # ---- The image tower ----
    "grey": tiny(
        "one channel", None, {"num_channels": 1, "hidden_act": "gelu_pytorch_tanh"},
        preprocessor={"do_convert_rgb": False, "image_mean": [0.48], "image_std": [0.27]}),
    "selu": tiny("selu, which transformers documents and lacks", {"hidden_act": "selu"}, {"hidden_act": "selu"}),
    "deep": tiny(
        "four layers in either tower; a negative logit_scale",
        {"num_hidden_layers": 4, "hidden_size": 16, "num_attention_heads": 8},
        {"num_hidden_layers": 4, "hidden_size": 16, "num_attention_heads": 4}, logit_scale=-1.5, projection_dim=40),
    "wide": tiny(
        "positions interpolated for pictures that are not square", None, {"num_hidden_layers": 2},
        preprocessor={"size": {"shortest_edge": 24}, "crop_size": {"height": 24, "width": 56}}, interpolate=True),
    "high": tiny(
        "positions interpolated for as many patches as trained, in another order", None, None,
        preprocessor={"size": {"height": 72, "width": 8}, "crop_size": {"height": 72, "width": 8}},
        interpolate=True),
    "larger": tiny(
        "positions interpolated for larger pictures, whose last pixels make no whole patch", None,
        {"num_attention_heads": 1, "patch_size": 5},
        preprocessor={"size": {"shortest_edge": 38}, "crop_size": {"height": 37, "width": 33}}, interpolate=True),

    # ---- The processor ----
    "processor-new": tiny(
        "as AltCLIPProcessor of transformers 5 writes it: processor_config.json, tokenizer.json", reference=NEW,
        form="new processor", texts=list(range(len(TEXTS))), alone="other names"),
    "stretched": tiny(
        "no crop: pictures stretched, hamming",
        preprocessor={"size": {"height": 24, "width": 24}, "do_center_crop": False, "resample": 5}),
    "unscaled": tiny(
        "no resizing; pixels not normalised; nearest", pictures=[0, 1, 2, 3, 5],
        preprocessor={"do_resize": False, "do_normalize": False, "resample": 0}),
    "bytes": tiny(
        "pixels not divided by 255, box; sizes as numbers", form="sizes as numbers",
        preprocessor={"do_rescale": False, "resample": 4, "image_mean": [120.0, 100.0, 90.0],
                      "image_std": [60.0, 70.0, 80.0]}),
    "factor": tiny(
        "another factor", preprocessor={"rescale_factor": 0.01, "do_convert_rgb": False}),
}
