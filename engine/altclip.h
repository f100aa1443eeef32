/* altclip: zero-shot tags for live video
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The one public header of libaltclip. A program that tags a picture, to be built with
 *
 *     cc tag.c $(pkg-config --cflags --libs altclip-1.0)
 *
 *     #include <altclip.h>
 *
 *     // Says how much a picture [height, width, 3] looks like each of two phrases.
 *     static gboolean
 *     tag (const char *directory, const guint8 *rgb, guint width, guint height, GError **error)
 *     {
 *         const AltclipModelInfo *info;
 *         g_autoptr (AltclipModel) model = NULL;
 *         g_autoptr (AltclipSession) session = NULL;
 *         g_autoptr (AltclipPrompts) prompts = NULL;
 *         g_autoptr (AltclipImagePlan) plan = NULL;
 *         g_autofree float *pixel_values = NULL;
 *         g_autofree float *embedding = NULL;
 *         double scores[2];
 *
 *         if (!(model = altclip_model_open (directory, NULL, NULL, error)) ||
 *             !(session = altclip_session_new (model, 0, error)) ||
 *             !(prompts = altclip_prompts_parse ("a black screen;colour bars", "a clear picture",
 *                   NULL, error)) ||
 *             !altclip_prompts_embed (prompts, session, NULL, error) ||
 *             !(plan = altclip_image_plan_new (model, width, height, &ALTCLIP_PIXEL_LAYOUT_RGB,
 *                   error)))
 *             return FALSE;
 *
 *         info = altclip_model_get_info (model);
 *         pixel_values = g_new (float, info->num_channels * info->image_size * info->image_size);
 *         embedding = g_new (float, info->projection_dim);
 *         altclip_image_plan_run (plan, rgb, 3 * width, pixel_values);
 *         if (!altclip_session_encode_images (session, pixel_values, 1, embedding, error))
 *             return FALSE;
 *         altclip_prompts_score (prompts, ALTCLIP_SCORE_SOFTMAX, embedding, scores, NULL);
 *         for (guint i = 0; i < altclip_prompts_get_n_labels (prompts); i++)
 *             g_print ("%s %.3f\n", altclip_prompts_get_label (prompts, i), scores[i]);
 *         return TRUE;
 *     }
 *
 *     int
 *     main (int argc, char **argv)
 *     {
 *         static const guint8 black[240 * 320 * 3];
 *         g_autoptr (GError) error = NULL;
 *
 *         if (tag (argc > 1 ? argv[1] : "models/demo", black, 320, 240, &error))
 *             return 0;
 *         g_printerr ("%s\n", error->message);
 *         return 1;
 *     }
 *
 * A model, embedded prompts and a scheduler's streams may be used by several threads at once; all
 * else by one at a time, unless its description says "Thread-safe". Strings are UTF-8.
 * Floating-point arrays are dense, row-major, and never owned by the library.
 */

#ifndef ALTCLIP_H
#define ALTCLIP_H

#include <gio/gio.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * ALTCLIP_API:
 *
 * Marks what the library exports; all else in it is hidden.
 */
#define ALTCLIP_API __attribute__ ((visibility ("default")))

/* ---- Errors ------------------------------------------------------------- */

/**
 * AltclipError:
 * @ALTCLIP_ERROR_IO: a file or directory is missing or cannot be read or written
 * @ALTCLIP_ERROR_FORMAT: a file is not what its name promises (JSON, safetensors, a state
 *   dict of PyTorch, sentencepiece)
 * @ALTCLIP_ERROR_CONFIG: a configuration value is missing, unsupported or out of range
 * @ALTCLIP_ERROR_TENSOR: a tensor is missing or has the wrong shape or type
 * @ALTCLIP_ERROR_TEXT: a text is not valid UTF-8 or cannot be tokenized, or tokens are out of range
 * @ALTCLIP_ERROR_PROMPTS: a prompt list breaks its own rules (empty or duplicate label, too many)
 * @ALTCLIP_ERROR_IMAGE: a picture has a size or form that cannot be used
 * @ALTCLIP_ERROR_COMPUTE: no kernel answers correctly, a result is not a number, or there is too
 *   little memory
 *
 * Codes of the #ALTCLIP_ERROR domain. A message names the file, the field or
 * tensor, the value found and the limit. Cancellation is %G_IO_ERROR_CANCELLED.
 */
typedef enum {
    ALTCLIP_ERROR_IO,
    ALTCLIP_ERROR_FORMAT,
    ALTCLIP_ERROR_CONFIG,
    ALTCLIP_ERROR_TENSOR,
    ALTCLIP_ERROR_TEXT,
    ALTCLIP_ERROR_PROMPTS,
    ALTCLIP_ERROR_IMAGE,
    ALTCLIP_ERROR_COMPUTE
} AltclipError;

/**
 * ALTCLIP_ERROR:
 *
 * Domain of the library's errors, with the codes of #AltclipError.
 */
#define ALTCLIP_ERROR (altclip_error_quark ())

/**
 * altclip_error_quark:
 *
 * Returns: the domain of #AltclipError; see #ALTCLIP_ERROR
 */
ALTCLIP_API GQuark altclip_error_quark (void);

/* ---- Model -------------------------------------------------------------- */

/**
 * AltclipModel:
 *
 * An AltCLIP directory that has been opened: configuration, weights, tokenizer.
 * Immutable and reference counted; any number of threads may use it at once.
 */
typedef struct _AltclipModel AltclipModel;

/**
 * AltclipModelFlags:
 * @ALTCLIP_MODEL_NONE: all at once
 * @ALTCLIP_MODEL_LAZY: read the configuration and check the outline and the shapes of the weights,
 *   but leave a tower's packing, proof and self-test to the first picture or text
 * @ALTCLIP_MODEL_NO_CACHE: neither look for embeddings of texts in the user's cache directory nor
 *   keep them there; the environment variable `ALTCLIP_CACHE=off` does the same
 *
 * How to open a model.
 */
typedef enum {
    ALTCLIP_MODEL_NONE = 0,
    ALTCLIP_MODEL_LAZY = 1 << 0,
    ALTCLIP_MODEL_NO_CACHE = 1 << 1
} AltclipModelFlags;

/**
 * AltclipPrecision:
 * @ALTCLIP_PRECISION_AUTO: bf16 where it is faster on this CPU by a fifth, else f32, see
 *   altclip_model_get_trial(); never int8
 * @ALTCLIP_PRECISION_F32: 32-bit floats
 * @ALTCLIP_PRECISION_BF16: products of bfloat16, summed in 32 bits
 * @ALTCLIP_PRECISION_INT8: products of 8-bit integers, summed in 32 bits, but for the layers that
 *   these are too coarse for, see altclip_model_get_finer_layers()
 *
 * What the image tower multiplies in; all else is in 32-bit floats, and so is the text tower. A
 * precision that the CPU has no instructions for works by conversion, slowly, see
 * altclip_model_get_precision().
 */
typedef enum {
    ALTCLIP_PRECISION_AUTO,
    ALTCLIP_PRECISION_F32,
    ALTCLIP_PRECISION_BF16,
    ALTCLIP_PRECISION_INT8
} AltclipPrecision;

/**
 * altclip_precision_from_name:
 * @name: "auto", "f32", "bf16" or "int8"
 * @precision: (out): what it names; left alone if it names none
 *
 * Returns: whether it does
 */
ALTCLIP_API gboolean altclip_precision_from_name (const char *name, AltclipPrecision *precision);

/**
 * altclip_precision_get_name:
 * @precision: a precision
 *
 * Returns: (transfer none): its name
 */
ALTCLIP_API const char *altclip_precision_get_name (AltclipPrecision precision);

/**
 * AltclipModelOptions:
 * @kernels: (nullable): name of the kernel set to compute with ("avx512", "avx2", "openblas",
 *   "reference", …), which counts if it computes in @precision, or %NULL for the environment
 * variable `ALTCLIP_KERNELS`, and without that the fastest set that answers correctly on this CPU
 * @threads: threads to pack and self-test with, at most 1024; 0: one per core
 * @flags: see #AltclipModelFlags
 * @precision: see #AltclipPrecision
 *
 * Zeroes are the defaults.
 */
typedef struct {
    const char *kernels;
    guint threads;
    AltclipModelFlags flags;
    AltclipPrecision precision;
} AltclipModelOptions;

/**
 * AltclipTowers:
 * @ALTCLIP_TOWER_NONE: neither
 * @ALTCLIP_TOWER_IMAGE: the image tower
 * @ALTCLIP_TOWER_TEXT: the text tower
 *
 * A directory may hold one of the two alone.
 */
typedef enum {
    ALTCLIP_TOWER_NONE = 0,
    ALTCLIP_TOWER_IMAGE = 1 << 0,
    ALTCLIP_TOWER_TEXT = 1 << 1
} AltclipTowers;

/**
 * AltclipTowerInfo:
 * @hidden_size: width of the residual stream
 * @intermediate_size: width between the two linear layers of a block
 * @num_hidden_layers: blocks
 * @num_attention_heads: heads of a block
 * @hidden_act: name of the activation function
 * @layer_norm_eps: epsilon of the layer norms
 * @parameters: number of parameters of the tower
 */
typedef struct {
    guint hidden_size;
    guint intermediate_size;
    guint num_hidden_layers;
    guint num_attention_heads;
    const char *hidden_act;
    double layer_norm_eps;
    guint64 parameters;
} AltclipTowerInfo;

/**
 * AltclipModelInfo:
 * @directory: the path the model was opened from, resolved
 * @model_type: `altclip`
 * @dtype: type of the stored weights: `float32`, `float16`, `bfloat16`, …
 * @towers: which towers there are
 * @parameters: number of parameters, all told
 * @projection_dim: length of an embedding; 0 when a lone tower comes without its projection
 * @logit_scale: exp of the stored logarithm: factor from cosine to logit; 0 when a lone tower comes
 *   without it
 * @vision: the image tower; what describes a tower that is not there is 0
 * @image_size: height and width of its input in pixels
 * @patch_size: height and width of a patch in pixels
 * @num_channels: colour channels of its input
 * @text: the text tower
 * @project_dim: width of the text tower's own transformation
 * @vocab_size: rows of the word embedding table
 * @max_tokens: longest text in tokens, `<s>` and `</s>` included
 * @picture_time: time that one picture took in the self-test, in nanoseconds; 0: there was none
 *   yet, see %ALTCLIP_MODEL_LAZY
 *
 * What `altclip info` prints. Owned by the model.
 */
typedef struct {
    const char *directory;
    const char *model_type;
    const char *dtype;
    AltclipTowers towers;
    guint64 parameters;
    guint projection_dim;
    double logit_scale;
    AltclipTowerInfo vision;
    guint image_size;
    guint patch_size;
    guint num_channels;
    AltclipTowerInfo text;
    guint project_dim;
    guint vocab_size;
    guint max_tokens;
    guint64 picture_time;
} AltclipModelInfo;

/**
 * altclip_model_open:
 * @directory: a directory in the Hugging Face layout: `config.json`; `preprocessor_config.json` or
 *   `processor_config.json`; `model.safetensors` or `pytorch_model.bin`, or shards of either;
 *   `sentencepiece.bpe.model` or `tokenizer.json`, and `tokenizer_config.json` if it is there
 * @options: (nullable): see #AltclipModelOptions
 * @cancellable: (nullable): looked at between steps
 * @error: #ALTCLIP_ERROR or %G_IO_ERROR_CANCELLED
 *
 * Reads the configuration, maps the weights, checks the shape of every tensor,
 * packs the image tower, and proves that two different pictures get two different
 * embeddings. Blocks; a second or two for a large model, less with %ALTCLIP_MODEL_LAZY. The text
 * tower and the tokenizer are read at the first text. A directory may hold one tower alone.
 *
 * Returns: (transfer full) (nullable): the model, or %NULL
 */
ALTCLIP_API AltclipModel *altclip_model_open (const char *directory,
        const AltclipModelOptions *options, GCancellable *cancellable, GError **error);

/**
 * altclip_model_ref:
 * @model: the model
 *
 * Returns: (transfer full): @model. Thread-safe
 */
ALTCLIP_API AltclipModel *altclip_model_ref (AltclipModel *model);

/**
 * altclip_model_unref:
 * @model: (transfer full): closed with the last reference. Thread-safe
 */
ALTCLIP_API void altclip_model_unref (AltclipModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipModel, altclip_model_unref)

/**
 * altclip_model_get_info:
 * @model: the model
 *
 * Returns: (transfer none): a description that lives as long as @model
 */
ALTCLIP_API const AltclipModelInfo *altclip_model_get_info (AltclipModel *model);

/**
 * altclip_model_describe:
 * @model: the model
 *
 * What #AltclipModelInfo says but for the directory and the time of a picture, and every field of
 * the model's configuration, as one JSON object: under `text` and `vision` those of the reference's
 * `AltCLIPTextConfig` and `AltCLIPVisionConfig`, if @model holds the tower; `projection_dim` and
 * `logit_scale` if it holds the tensors. Thread-safe.
 *
 * Returns: (transfer full): UTF-8 without line breaks; free with g_free()
 */
ALTCLIP_API char *altclip_model_describe (AltclipModel *model);

/**
 * altclip_model_get_precision:
 * @model: the model
 * @precision: (out): that of its kernels
 * @converts: (out) (optional): whether the CPU has no instructions for it, so that it is slow; of
 *   %ALTCLIP_PRECISION_INT8, whether %ALTCLIP_PRECISION_AUTO was faster for one product
 * @error: #ALTCLIP_ERROR_COMPUTE
 *
 * What the image tower multiplies in: never %ALTCLIP_PRECISION_AUTO. Of a text tower alone
 * %ALTCLIP_PRECISION_F32. Thread-safe.
 *
 * Returns: %FALSE if no kernels can be had, see altclip_model_get_kernels()
 */
ALTCLIP_API gboolean altclip_model_get_precision (
        AltclipModel *model, AltclipPrecision *precision, gboolean *converts, GError **error);

/**
 * altclip_model_get_finer_layers:
 * @model: the model
 *
 * Of an image tower in %ALTCLIP_PRECISION_INT8, linear layers of its blocks that are computed in
 * what %ALTCLIP_PRECISION_AUTO would be: those whose rounding error, measured when the tower is
 * packed, is too large beside what they tell tokens apart by. Thread-safe.
 *
 * Returns: their number; 0 before the tower is packed
 */
ALTCLIP_API guint altclip_model_get_finer_layers (AltclipModel *model);

/**
 * AltclipTrial:
 * @f32_kernels: name of the kernel set that proved itself for f32
 * @f32_time: nanoseconds that one thread took with it for a part of the largest product
 * @bf16_kernels: name of the first set for bf16 that can run here
 * @bf16_time: the same with that
 *
 * Why %ALTCLIP_PRECISION_AUTO is what it is. The names live as long as the program.
 */
typedef struct {
    const char *f32_kernels;
    guint64 f32_time;
    const char *bf16_kernels;
    guint64 bf16_time;
} AltclipTrial;

/**
 * altclip_model_get_trial:
 * @model: the model
 * @trial: (out caller-allocated): see #AltclipTrial
 *
 * The times that %ALTCLIP_PRECISION_AUTO was decided by, when altclip_model_get_kernels() was.
 * Thread-safe.
 *
 * Returns: %FALSE if there are none: another precision or a kernel set was asked for by name, there
 *     is no image tower, or no kernels can be had
 */
ALTCLIP_API gboolean altclip_model_get_trial (AltclipModel *model, AltclipTrial *trial);

/**
 * altclip_model_get_kernels:
 * @model: the model
 * @error: #ALTCLIP_ERROR_COMPUTE
 *
 * The kernel set that computes the image tower, or the text tower when that is the only one. Chosen
 * and proved when the model opens, or with %ALTCLIP_MODEL_LAZY by the first that needs it, this
 * function included. Thread-safe.
 *
 * Returns: (transfer none) (nullable): the set's name, or %NULL
 */
ALTCLIP_API const char *altclip_model_get_kernels (AltclipModel *model, GError **error);

/**
 * altclip_model_can_embed:
 * @model: the model
 * @towers: what is to be embedded with
 * @error: #ALTCLIP_ERROR_TENSOR, naming what is missing
 *
 * Whether the model holds these towers and their projections. Cheap. Thread-safe.
 *
 * Returns: %TRUE if it does
 */
ALTCLIP_API gboolean altclip_model_can_embed (
        AltclipModel *model, AltclipTowers towers, GError **error);

/**
 * altclip_model_get_memory:
 * @model: the model
 *
 * Returns: bytes that the packed weights take: the image tower's, and the text tower's while a text
 *   is being embedded, or for good if it is small. Never waits. Thread-safe
 */
ALTCLIP_API guint64 altclip_model_get_memory (AltclipModel *model);

/**
 * altclip_model_tokenize:
 * @model: whose tokenizer is wanted
 * @text: UTF-8
 * @error: #ALTCLIP_ERROR_TEXT when @text is not UTF-8, or what reading the
 *   tokenizer's file brought
 *
 * `<s> pieces </s>`, truncated at the model's limit; ids of type gint32. They are those of the
 * reference's sentencepiece tokenizer (`XLMRobertaTokenizer` of transformers 4.46), also for a
 * directory that holds only a `tokenizer.json`. The reference's fast classes differ from it on
 * decomposed characters (NFD) and on special tokens written in full width; the one of 4.46 also on
 * several blanks before `<mask>`, the one of 5 on U+2028 and U+2029. Thread-safe.
 *
 * Returns: (transfer full) (element-type gint32) (nullable): the ids, or %NULL
 */
ALTCLIP_API GArray *altclip_model_tokenize (AltclipModel *model, const char *text, GError **error);

/**
 * altclip_model_decode:
 * @model: whose tokenizer is wanted
 * @ids: (array length=n_ids): token ids
 * @n_ids: their number
 * @error: #ALTCLIP_ERROR_TEXT for an id outside the vocabulary, or what reading the tokenizer's
 *   file brought
 *
 * The text of the ids, special tokens written out, as the reference's `decode`. Thread-safe.
 *
 * Returns: (transfer full) (nullable): UTF-8, or %NULL
 */
ALTCLIP_API char *altclip_model_decode (
        AltclipModel *model, const gint32 *ids, gsize n_ids, GError **error);

/* ---- Images ------------------------------------------------------------- */

/**
 * AltclipPixelLayout:
 * @pixel_stride: bytes from one pixel to the next
 * @red: offset of the red byte in a pixel
 * @green: likewise, the green
 * @blue: likewise, the blue
 *
 * Where the three 8-bit components of a packed pixel lie. Grey has all three
 * offsets 0; a fourth byte is not looked at.
 */
typedef struct {
    guint8 pixel_stride;
    guint8 red;
    guint8 green;
    guint8 blue;
} AltclipPixelLayout;

/**
 * ALTCLIP_PIXEL_LAYOUT_RGB:
 *
 * Three bytes a pixel: red, green, blue.
 */
static const AltclipPixelLayout ALTCLIP_PIXEL_LAYOUT_RGB G_GNUC_UNUSED = { 3, 0, 1, 2 };

/**
 * ALTCLIP_PIXEL_LAYOUT_GRAY8:
 *
 * One byte a pixel, which is red, green and blue alike.
 */
static const AltclipPixelLayout ALTCLIP_PIXEL_LAYOUT_GRAY8 G_GNUC_UNUSED = { 1, 0, 0, 0 };

/**
 * ALTCLIP_FRAME_MAX_PLANES:
 *
 * Most planes of a video frame.
 */
#define ALTCLIP_FRAME_MAX_PLANES 4

/**
 * AltclipColour:
 * @ALTCLIP_COLOUR_RGB: components are red, green, blue
 * @ALTCLIP_COLOUR_YCBCR: components are luma and two differences from it
 * @ALTCLIP_COLOUR_GREY: the first component is luma, and there are no others
 *
 * What the components of a video frame are.
 */
typedef enum { ALTCLIP_COLOUR_RGB, ALTCLIP_COLOUR_YCBCR, ALTCLIP_COLOUR_GREY } AltclipColour;

/**
 * AltclipFrameComponent:
 * @plane: the plane it lies in
 * @offset: bytes before the first sample of a row
 * @stride: bytes from one sample to the next
 * @shift: bits below the sample in its 16-bit word, where it has more than 8 bits
 *
 * Where one component of a video frame lies. Words are little-endian.
 */
typedef struct {
    guint8 plane;
    guint8 offset;
    guint8 stride;
    guint8 shift;
} AltclipFrameComponent;

/**
 * AltclipFrameFormat:
 * @width: width of the frame in pixels, 1 to 65535
 * @height: height of the frame in pixels, 1 to 65535
 * @colour: what the components are
 * @components: where they lie
 * @bits: of a sample, 8 to 11
 * @full_range: samples take all values; otherwise 16 to 235, chroma to 240, as of 8 bits
 * @kr: share of red in luma (ITU-R BT.601: 0.299, 709: 0.2126, 2020: 0.2627); Y'CbCr only
 * @kb: share of blue in luma (0.114, 0.0722, 0.0593); Y'CbCr only
 * @chroma_x_shift: 1: a sample of chroma for two columns; 0: for each
 * @chroma_y_shift: 1: a sample of chroma for two rows; 0: for each
 * @chroma_x_cosited: chroma lies on the first column of the two (MPEG-2, H.264), not between them
 * @chroma_y_cosited: chroma lies on the first row of the two, not between them (MPEG-2, H.264)
 *
 * A raw video format.
 */
typedef struct {
    guint width;
    guint height;
    AltclipColour colour;
    AltclipFrameComponent components[3];
    guint bits;
    gboolean full_range;
    double kr;
    double kb;
    guint chroma_x_shift;
    guint chroma_y_shift;
    gboolean chroma_x_cosited;
    gboolean chroma_y_cosited;
} AltclipFrameFormat;

/**
 * AltclipFrameData:
 * @planes: first row of each plane
 * @strides: bytes from one row to the next in each plane
 * @interlaced: rows belong to two fields by turns, those of chroma too
 *
 * A raw video frame in memory.
 */
typedef struct {
    const guint8 *planes[ALTCLIP_FRAME_MAX_PLANES];
    gsize strides[ALTCLIP_FRAME_MAX_PLANES];
    gboolean interlaced;
} AltclipFrameData;

/**
 * AltclipRectangle:
 * @x: first column
 * @y: first row
 * @width: columns
 * @height: rows
 *
 * A part of a frame, in pixels.
 */
typedef struct {
    guint x;
    guint y;
    guint width;
    guint height;
} AltclipRectangle;

/**
 * altclip_rectangle_is_same:
 * @rectangle: a rectangle
 * @other: another
 *
 * Returns: whether they are the same pixels
 */
ALTCLIP_API gboolean altclip_rectangle_is_same (
        const AltclipRectangle *rectangle, const AltclipRectangle *other);

/**
 * AltclipImagePlan:
 *
 * How pictures of one size and layout become the image tower's input: the
 * resampling filter's taps, computed once, and the rows in between. Has scratch
 * of its own: one thread at a time.
 */
typedef struct _AltclipImagePlan AltclipImagePlan;

/**
 * altclip_image_plan_new:
 * @model: the model whose input is wanted; not needed afterwards
 * @width: width of the pictures in pixels, 1 to 65535
 * @height: height of the pictures in pixels, 1 to 65535
 * @layout: where the components lie; copied
 * @error: #ALTCLIP_ERROR_IMAGE, also when the output would not have the model's `image_size`;
 *   #ALTCLIP_ERROR_CONFIG when a value would not be a number; #ALTCLIP_ERROR_TENSOR when there is
 *   no image tower
 *
 * Follows `preprocessor_config.json` as transformers' `CLIPImageProcessor` does: resize, centre
 * crop, rescale, normalise, with the resampling of Pillow 13.0, bit for bit. Thread-safe.
 *
 * Returns: (transfer full) (nullable): the plan, or %NULL
 */
ALTCLIP_API AltclipImagePlan *altclip_image_plan_new (AltclipModel *model, guint width,
        guint height, const AltclipPixelLayout *layout, GError **error);

/**
 * AltclipImageSize:
 * @shortest_edge: what the shorter edge is resized to, in pixels, before the square of that side is
 *   cut out of the middle; 0: the picture is stretched to @height by @width
 * @height: looked at when @shortest_edge is 0
 * @width: likewise
 *
 * A size to use in place of `size` and `crop_size` of `preprocessor_config.json`, 1 to 8192 on a
 * side.
 */
typedef struct {
    guint shortest_edge;
    guint height;
    guint width;
} AltclipImageSize;

/**
 * altclip_image_plan_new_any_size:
 * @model: the model whose preprocessing is wanted; not needed afterwards
 * @size: (nullable): the output's size; %NULL: as `preprocessor_config.json` has it
 * @width: width of the pictures in pixels, 1 to 65535
 * @height: height of the pictures in pixels, 1 to 65535
 * @layout: where the components lie; copied
 * @error: as for altclip_image_plan_new()
 *
 * altclip_image_plan_new() for an output of any size, at most 8192 on a side, as a tower takes it
 * that interpolates its positions, see #AltclipPictures; altclip_image_plan_get_output_width() and
 * altclip_image_plan_get_output_height() tell it. Thread-safe.
 *
 * Returns: (transfer full) (nullable): the plan, or %NULL
 */
ALTCLIP_API AltclipImagePlan *altclip_image_plan_new_any_size (AltclipModel *model,
        const AltclipImageSize *size, guint width, guint height, const AltclipPixelLayout *layout,
        GError **error);

/**
 * altclip_image_plan_free:
 * @plan: (transfer full) (nullable): what to free
 */
ALTCLIP_API void altclip_image_plan_free (AltclipImagePlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipImagePlan, altclip_image_plan_free)

/**
 * altclip_image_plan_get_output_width:
 * @plan: the plan
 *
 * Returns: width of what @plan writes, in pixels. Thread-safe
 */
ALTCLIP_API guint altclip_image_plan_get_output_width (const AltclipImagePlan *plan);

/**
 * altclip_image_plan_get_output_height:
 * @plan: the plan
 *
 * Returns: height of what @plan writes, in pixels. Thread-safe
 */
ALTCLIP_API guint altclip_image_plan_get_output_height (const AltclipImagePlan *plan);

/**
 * altclip_image_plan_run:
 * @plan: the plan; one thread at a time
 * @data: the picture's first row
 * @rowstride: bytes from one row to the next
 * @pixel_values: (out caller-allocated): [num_channels, output height, output width]
 *
 * Reads `pixel_stride · width` bytes of each of the picture's rows. Allocates nothing and cannot
 * fail.
 */
ALTCLIP_API void altclip_image_plan_run (
        AltclipImagePlan *plan, const guint8 *data, gsize rowstride, float *pixel_values);

/**
 * altclip_image_plan_new_for_frames:
 * @model: the model whose input is wanted; not needed afterwards
 * @format: the frames' format; copied
 * @part: (nullable): the part of the frames to look at, within them; copied; %NULL: all
 * @error: as for altclip_image_plan_new(), and for a @format or @part that cannot be
 *
 * altclip_image_plan_new() for raw video. A frame is read a row at a time: no copy of it is made in
 * RGB. Y'CbCr becomes 8-bit RGB, chroma interpolated linearly where the format says its samples
 * lie; from there on all is as for a picture, but for the order of Pillow's two passes: rows come
 * first always. Thread-safe.
 *
 * Returns: (transfer full) (nullable): the plan, for altclip_image_plan_run_frame(), or %NULL
 */
ALTCLIP_API AltclipImagePlan *altclip_image_plan_new_for_frames (AltclipModel *model,
        const AltclipFrameFormat *format, const AltclipRectangle *part, GError **error);

/**
 * altclip_image_plan_run_frame:
 * @plan: of altclip_image_plan_new_for_frames(); one thread at a time
 * @data: the frame
 * @pixel_values: (out caller-allocated): [num_channels, output height, output width]
 *
 * As altclip_image_plan_run(), for a video frame.
 */
ALTCLIP_API void altclip_image_plan_run_frame (
        AltclipImagePlan *plan, const AltclipFrameData *data, float *pixel_values);

/**
 * altclip_image_plan_run_pixels:
 * @plan: the plan; one thread at a time
 * @data: the picture's first row
 * @rowstride: bytes from one row to the next
 * @pixels: (out caller-allocated): [output height, output width, 3], after resize and
 *   crop, before rescaling
 *
 * The 8-bit half of altclip_image_plan_run(), to look at what the tower sees.
 */
ALTCLIP_API void altclip_image_plan_run_pixels (
        AltclipImagePlan *plan, const guint8 *data, gsize rowstride, guint8 *pixels);

/* ---- Motion ------------------------------------------------------------- */

/**
 * AltclipMotion:
 *
 * Tells whether a stream's picture has changed since the one that was kept: cheap enough for each
 * frame. One thread at a time.
 */
typedef struct _AltclipMotion AltclipMotion;

/**
 * altclip_motion_new:
 * @format: the frames' format; copied
 * @part: (nullable): the part of the frames to look at, within them; copied; %NULL: all
 * @error: #ALTCLIP_ERROR_IMAGE for a @format or @part that cannot be
 *
 * Returns: (transfer full) (nullable): the measure, with nothing kept yet, or %NULL. Thread-safe
 */
ALTCLIP_API AltclipMotion *altclip_motion_new (
        const AltclipFrameFormat *format, const AltclipRectangle *part, GError **error);

/**
 * altclip_motion_free:
 * @motion: (transfer full) (nullable): what to free
 */
ALTCLIP_API void altclip_motion_free (AltclipMotion *motion);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipMotion, altclip_motion_free)

/**
 * altclip_motion_measure:
 * @motion: the measure
 * @data: a frame
 *
 * Compares the frame with the kept one on a thumbnail of luma, of 64 cells along the longer side.
 * Allocates nothing.
 *
 * Returns: the share of the picture, 0 to 1, whose luma changed by more than noise does (4 of
 *   255, on a cell's mean); 1 when nothing has been kept
 */
ALTCLIP_API double altclip_motion_measure (AltclipMotion *motion, const AltclipFrameData *data);

/**
 * altclip_motion_keep:
 * @motion: the measure
 *
 * Keeps the frame measured last: later ones are compared with it.
 */
ALTCLIP_API void altclip_motion_keep (AltclipMotion *motion);

/**
 * altclip_motion_forget:
 * @motion: the measure
 *
 * Forgets the frame that was kept: the next counts as wholly changed.
 */
ALTCLIP_API void altclip_motion_forget (AltclipMotion *motion);

/* ---- Session ------------------------------------------------------------ */

/**
 * AltclipSession:
 *
 * What one computing thread needs beside the model: scratch memory and a pool of
 * helping threads. One thread at a time; several sessions may share a model.
 */
typedef struct _AltclipSession AltclipSession;

/**
 * altclip_session_new:
 * @model: to compute with; the session takes a reference
 * @threads: threads to compute with, the caller's included, at most 1024; 0: one per core
 * @error: #ALTCLIP_ERROR_COMPUTE for too many threads
 *
 * When the system gives fewer threads, these have to do, and a warning says so.
 *
 * Returns: (transfer full) (nullable): the session, or %NULL
 */
ALTCLIP_API AltclipSession *altclip_session_new (
        AltclipModel *model, guint threads, GError **error);

/**
 * altclip_session_free:
 * @session: (transfer full) (nullable): what to free; its threads end
 */
ALTCLIP_API void altclip_session_free (AltclipSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipSession, altclip_session_free)

/**
 * altclip_session_get_model:
 * @session: the session
 *
 * Returns: (transfer none): the model the session was made for
 */
ALTCLIP_API AltclipModel *altclip_session_get_model (AltclipSession *session);

/**
 * altclip_session_encode_images:
 * @session: to compute with
 * @pixel_values: [n_images, num_channels, image_size, image_size]
 * @n_images: pictures; memory and time grow with it
 * @embeddings: (out caller-allocated): [n_images, projection_dim], unit length
 * @error: #ALTCLIP_ERROR_COMPUTE when an embedding is not a number or zero, #ALTCLIP_ERROR_TENSOR
 *   when there is no image tower or no projection of it
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_session_encode_images (AltclipSession *session,
        const float *pixel_values, guint n_images, float *embeddings, GError **error);

/**
 * AltclipPictures:
 * @pixel_values: [n, num_channels, height, width]
 * @n: pictures
 * @height: of each in pixels; 0: the model's image_size
 * @width: likewise
 * @interpolate_pos_encoding: whether another size than the model's image_size may be: the tower's
 *   positions are then interpolated as by the reference's argument of that name. Rows and columns
 *   of pixels that make no whole patch are not looked at
 *
 * Pictures of one size, preprocessed.
 */
typedef struct {
    const float *pixel_values;
    guint n;
    guint height;
    guint width;
    gboolean interpolate_pos_encoding;
} AltclipPictures;

/**
 * altclip_session_get_image_features:
 * @session: to compute with
 * @pictures: what to encode
 * @features: (out caller-allocated): [n, projection_dim]
 * @error: #ALTCLIP_ERROR_IMAGE for a size that the tower does not take, #ALTCLIP_ERROR_TENSOR when
 *   the model has no `visual_projection`
 *
 * The reference's `AltCLIPModel.get_image_features`: embeddings as they leave the projection, of
 * any length.
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_session_get_image_features (
        AltclipSession *session, const AltclipPictures *pictures, float *features, GError **error);

/**
 * altclip_session_encode_texts:
 * @session: to compute with
 * @texts: (array length=n_texts): UTF-8
 * @n_texts: their number
 * @cancellable: (nullable): looked at between texts
 * @embeddings: (out caller-allocated): [n_texts, projection_dim], unit length
 * @error: #ALTCLIP_ERROR_TEXT, #ALTCLIP_ERROR_COMPUTE, #ALTCLIP_ERROR_TENSOR when there is no text
 *   tower or no projection of it, %G_IO_ERROR_CANCELLED, or what reading the tokenizer's file
 *   brought
 *
 * What was embedded before, by any program of the user's, comes from the user's cache directory,
 * unless the model was opened with %ALTCLIP_MODEL_NO_CACHE. A large text tower is let go after each
 * call: pass texts together.
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_session_encode_texts (AltclipSession *session,
        const char *const *texts, guint n_texts, GCancellable *cancellable, float *embeddings,
        GError **error);

/**
 * altclip_session_get_text_features:
 * @session: to compute with
 * @texts: (array length=n_texts): UTF-8
 * @n_texts: their number
 * @cancellable: (nullable): looked at between texts
 * @features: (out caller-allocated): [n_texts, projection_dim]
 * @error: as for altclip_session_encode_texts(), and #ALTCLIP_ERROR_TENSOR when the model has no
 *   `text_projection`
 *
 * The reference's `AltCLIPModel.get_text_features`: embeddings as they leave the projection, of
 * any length.
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_session_get_text_features (AltclipSession *session,
        const char *const *texts, guint n_texts, GCancellable *cancellable, float *features,
        GError **error);

/* ---- Forward: every tensor of the reference ------------------------------ */

/**
 * AltclipTensor:
 * @name: the reference's name, `logits_per_image` for instance
 * @is_int64: elements are gint64; otherwise float
 * @n_dims: number of dimensions, 0 to 4
 * @dims: the dimensions
 * @data: the elements
 */
typedef struct {
    char *name;
    gboolean is_int64;
    guint n_dims;
    guint64 dims[4];
    void *data;
} AltclipTensor;

/**
 * AltclipForwardFlags:
 * @ALTCLIP_FORWARD_NONE: no more than embeddings, logits and the towers' outputs
 * @ALTCLIP_FORWARD_HIDDEN_STATES: add `*_model_output.hidden_states.N`, [batch, rows,
 *   hidden_size]: the residual stream before block 0 and after each block
 * @ALTCLIP_FORWARD_ATTENTIONS: add `*_model_output.attentions.N`, [batch, heads, rows, rows]: the
 *   softmax's probabilities in block N, 0 for keys that are padding
 * @ALTCLIP_FORWARD_LOSS: add `loss`, a single number: the contrastive loss of as many texts as
 *   pictures, text i belonging to picture i
 */
typedef enum {
    ALTCLIP_FORWARD_NONE = 0,
    ALTCLIP_FORWARD_HIDDEN_STATES = 1 << 0,
    ALTCLIP_FORWARD_ATTENTIONS = 1 << 1,
    ALTCLIP_FORWARD_LOSS = 1 << 2
} AltclipForwardFlags;

/**
 * ALTCLIP_FORWARD_MAX_BYTES:
 *
 * Most bytes that the tensors of one forward pass take together.
 */
#define ALTCLIP_FORWARD_MAX_BYTES (G_GUINT64_CONSTANT (4) << 30)

/**
 * altclip_session_forward:
 * @session: to compute with
 * @texts: (array length=n_texts) (nullable): UTF-8; padded to the longest
 * @n_texts: their number
 * @pictures: (nullable): see #AltclipPictures
 * @flags: what to add
 * @error: as for altclip_session_encode_texts() and altclip_session_get_image_features();
 *   #ALTCLIP_ERROR_COMPUTE for results of more than %ALTCLIP_FORWARD_MAX_BYTES, or a loss of
 *   unequal numbers
 *
 * The reference's `AltCLIPModel.forward` on both towers, or on one when the other
 * has no input. A model without projections, which holds one tower alone, gives what
 * `AltCLIPTextModel.forward` or `AltCLIPVisionModel.forward` does.
 *
 * Returns: (transfer full) (element-type AltclipTensor) (nullable): the tensors;
 *   free with g_ptr_array_unref()
 */
ALTCLIP_API GPtrArray *altclip_session_forward (AltclipSession *session, const char *const *texts,
        guint n_texts, const AltclipPictures *pictures, AltclipForwardFlags flags, GError **error);

/**
 * AltclipEncoding:
 * @input_ids: (nullable): [n, length], token ids; %NULL when there are @inputs_embeds
 * @inputs_embeds: (nullable): [n, length, hidden_size of the text tower], in the place of the
 *   words' embeddings
 * @attention_mask: (nullable): [n, length], 1 for tokens that are attended to, else 0; at least one
 *   1 a text; %NULL: all 1
 * @position_ids: (nullable): [n, length], rows of the position embeddings; %NULL: counted from
 *   `pad_token_id` + 1, and for a token of that id the id itself. Relative positions are not looked
 *   up by it
 * @token_type_ids: (nullable): [n, length], rows of the type embeddings; %NULL: all 0
 * @n: texts
 * @length: tokens of each, padding included
 *
 * Texts as a tokenizer hands them to the model, under the reference's names; for a caller that
 * has a tokenizer, masks, positions or types of its own.
 */
typedef struct {
    const gint32 *input_ids;
    const float *inputs_embeds;
    const guint8 *attention_mask;
    const guint *position_ids;
    const guint *token_type_ids;
    guint n;
    guint length;
} AltclipEncoding;

/**
 * altclip_session_forward_encoding:
 * @session: to compute with
 * @encoding: (nullable): see #AltclipEncoding
 * @pictures: (nullable): see #AltclipPictures
 * @flags: what to add
 * @error: as for altclip_session_forward(); #ALTCLIP_ERROR_TEXT when a token has no embedding or
 *   position
 *
 * altclip_session_forward() for texts that are tokenized already. Without @input_ids there is no
 * tensor of that name. Masks with a 0 before a 1 are computed by the `reference` kernels'
 * attention, which is slow.
 *
 * Returns: (transfer full) (element-type AltclipTensor) (nullable): the tensors;
 *   free with g_ptr_array_unref()
 */
ALTCLIP_API GPtrArray *altclip_session_forward_encoding (AltclipSession *session,
        const AltclipEncoding *encoding, const AltclipPictures *pictures, AltclipForwardFlags flags,
        GError **error);

/**
 * altclip_tensors_save:
 * @tensors: (element-type AltclipTensor): what to write
 * @path: a safetensors file, replaced whole or left as it was
 * @error: #ALTCLIP_ERROR_IO
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_tensors_save (GPtrArray *tensors, const char *path, GError **error);

/* ---- Prompts ------------------------------------------------------------ */

/**
 * ALTCLIP_MAX_LABELS:
 *
 * Most labels, and most negative phrases, in one set of prompts.
 */
#define ALTCLIP_MAX_LABELS 10000

/**
 * AltclipScoreMode:
 * @ALTCLIP_SCORE_SOFTMAX: share among the labels of a group and the negatives at the model's own
 *   scale, 0 to 1
 * @ALTCLIP_SCORE_SIGMOID: 1 / (1 + exp (−(scale · cosine + bias))) with the model's scale and the
 *   label's bias, 0 to 1: each label for itself. The bias of a label that has none puts the cosine
 *   0.25 at 0.5
 * @ALTCLIP_SCORE_COSINE: raw cosine, −1 to 1
 */
typedef enum {
    ALTCLIP_SCORE_SOFTMAX,
    ALTCLIP_SCORE_SIGMOID,
    ALTCLIP_SCORE_COSINE
} AltclipScoreMode;

/**
 * altclip_score_mode_get_name:
 * @mode: one of the modes
 *
 * Returns: (transfer none): what files of prompts call it
 */
ALTCLIP_API const char *altclip_score_mode_get_name (AltclipScoreMode mode);

/**
 * AltclipPrompts:
 *
 * A set of labels with their texts, negatives and templates; after
 * altclip_prompts_embed() also their embeddings, and from then on immutable.
 * Reference counted.
 */
typedef struct _AltclipPrompts AltclipPrompts;

/**
 * altclip_prompts_parse:
 * @prompts: (nullable): `label; label=text|text; …`: several texts of a label are
 *   averaged; `;;`, `==` and `||` stand for the character itself
 * @negative_prompts: (nullable): in the same form; they compete in the softmax and are never
 *   reported
 * @templates: (nullable): `;`-separated, `{}` is the text; %NULL or empty: `{}`
 * @error: #ALTCLIP_ERROR_PROMPTS or #ALTCLIP_ERROR_TEXT, with the number of the entry
 *
 * Does no computing and no I/O. An empty or %NULL @prompts gives a set of no labels. A text of a
 * label that is one of a negative too is an error: neither could win.
 *
 * Returns: (transfer full) (nullable): the set, or %NULL
 */
ALTCLIP_API AltclipPrompts *altclip_prompts_parse (
        const char *prompts, const char *negative_prompts, const char *templates, GError **error);

/**
 * AltclipPictureLoader:
 * @path: a file, which is not trusted
 * @model: the model whose input is wanted
 * @error: what is wrong with the file, which the message names
 *
 * Reads a picture that stands for a label. Called by altclip_prompts_embed().
 *
 * Returns: (transfer full) (nullable): pixel_values [num_channels, image_size, image_size] from
 *   g_malloc(), or %NULL
 */
typedef float *(*AltclipPictureLoader) (const char *path, AltclipModel *model, GError **error);

/**
 * altclip_prompts_load:
 * @path: a file of prompts: JSON as docs/prompts-file.schema.json describes it, UTF-8, at most 64
 * MiB. Relative paths of pictures in it begin at its directory
 * @loader: (nullable): reads the pictures; %NULL: a file that names any is refused
 * @error: #ALTCLIP_ERROR; the message names file, line and field
 *
 * Reads a set of prompts, and looks whether its pictures are there. Does no computing.
 *
 * Returns: (transfer full) (nullable): the set, of one label at least, or %NULL
 */
ALTCLIP_API AltclipPrompts *altclip_prompts_load (
        const char *path, AltclipPictureLoader loader, GError **error);

/**
 * altclip_prompts_new_for_file:
 * @path: as for altclip_prompts_load()
 * @loader: (nullable): likewise
 *
 * A set whose file is read by altclip_prompts_embed(), which brings the errors; until then it has
 * no labels. For callers that may not wait for a file.
 *
 * Returns: (transfer full): the set
 */
ALTCLIP_API AltclipPrompts *altclip_prompts_new_for_file (
        const char *path, AltclipPictureLoader loader);

/**
 * altclip_prompts_save:
 * @prompts: a set that altclip_prompts_embed() has embedded
 * @path: replaced whole or left as it was
 * @error: #ALTCLIP_ERROR_IO; #ALTCLIP_ERROR_PROMPTS when the file would be too large to be loaded
 *
 * Writes a file of prompts for altclip_prompts_load(), in which each label and each negative has
 * its embedding in place of texts and pictures: with the same model it needs neither the text tower
 * nor the pictures.
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_prompts_save (
        AltclipPrompts *prompts, const char *path, GError **error);

/**
 * altclip_prompts_describe:
 * @prompts: a set; one of altclip_prompts_new_for_file() has no labels before it is embedded
 *
 * The set as a file of prompts for altclip_prompts_load(): its texts, templates and pictures (by
 * absolute paths), or the ready embeddings that it came with, and the rules of each label.
 * Thread-safe on embedded prompts.
 *
 * Returns: (transfer full): UTF-8, one JSON object; free with g_free()
 */
ALTCLIP_API char *altclip_prompts_describe (AltclipPrompts *prompts);

/**
 * altclip_prompts_ref:
 * @prompts: the set
 *
 * Returns: (transfer full): @prompts. Thread-safe
 */
ALTCLIP_API AltclipPrompts *altclip_prompts_ref (AltclipPrompts *prompts);

/**
 * altclip_prompts_unref:
 * @prompts: (transfer full) (nullable): freed with the last reference. Thread-safe
 */
ALTCLIP_API void altclip_prompts_unref (AltclipPrompts *prompts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipPrompts, altclip_prompts_unref)

/**
 * altclip_prompts_embed:
 * @prompts: the set
 * @session: of the model to embed with
 * @cancellable: (nullable): looked at between texts
 * @error: as for altclip_session_encode_texts(), altclip_prompts_load() and the pictures' loader
 *
 * Embeds each text in each template, and each picture; the mean of a label's unit vectors, made
 * unit length again, is its embedding. A label that came with its embedding needs neither the
 * tokenizer nor the text tower. A label that nothing competes with would always score 1, so a
 * neutral phrase is added to its negatives then, unless the set says that it is not scored by
 * softmax. A set that has its embeddings already is left as it is. Not thread-safe: to be called
 * before @prompts is shared.
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_prompts_embed (AltclipPrompts *prompts, AltclipSession *session,
        GCancellable *cancellable, GError **error);

/**
 * altclip_prompts_get_n_labels:
 * @prompts: the set
 *
 * Returns: number of labels, negatives not counted
 */
ALTCLIP_API guint altclip_prompts_get_n_labels (AltclipPrompts *prompts);

/**
 * altclip_prompts_get_label:
 * @prompts: the set
 * @index: below altclip_prompts_get_n_labels()
 *
 * Returns: (transfer none): label number @index, owned by @prompts
 */
ALTCLIP_API const char *altclip_prompts_get_label (AltclipPrompts *prompts, guint index);

/**
 * altclip_prompts_get_n_groups:
 * @prompts: the set
 *
 * Groups of labels have numbers from 1 on; 0 stands for the labels that are in none.
 *
 * Returns: number of groups and 1
 */
ALTCLIP_API guint altclip_prompts_get_n_groups (AltclipPrompts *prompts);

/**
 * altclip_prompts_get_group_name:
 * @prompts: the set
 * @group: below altclip_prompts_get_n_groups()
 *
 * Returns: (transfer none) (nullable): name of the group, owned by @prompts; %NULL for number 0
 */
ALTCLIP_API const char *altclip_prompts_get_group_name (AltclipPrompts *prompts, guint group);

/**
 * altclip_prompts_get_label_group:
 * @prompts: the set
 * @index: below altclip_prompts_get_n_labels()
 *
 * Returns: number of the label's group; 0: it is in none
 */
ALTCLIP_API guint altclip_prompts_get_label_group (AltclipPrompts *prompts, guint index);

/**
 * AltclipRegion:
 * @x: of the left edge, 0 to 1 of the picture's width
 * @y: of the upper edge, 0 to 1 of its height
 * @w: width, above 0
 * @h: height, above 0
 *
 * A part of a picture, in fractions of it.
 */
typedef struct {
    double x;
    double y;
    double w;
    double h;
} AltclipRegion;

/**
 * altclip_region_is_same:
 * @region: a region
 * @other: another
 *
 * Returns: whether they are the same part of a picture: the same four numbers
 */
ALTCLIP_API gboolean altclip_region_is_same (
        const AltclipRegion *region, const AltclipRegion *other);

/**
 * altclip_region_get_part:
 * @region: within the picture: x + w and y + h are 1 at most, but for rounding
 * @picture: in pixels, not empty
 *
 * Returns: the region in pixels, its edges rounded to whole ones, and at least one pixel wide and
 *   high
 */
ALTCLIP_API AltclipRectangle altclip_region_get_part (
        const AltclipRegion *region, const AltclipRectangle *picture);

/**
 * ALTCLIP_MAX_REGIONS:
 *
 * Most different regions in a set of prompts.
 */
#define ALTCLIP_MAX_REGIONS 255

/**
 * altclip_prompts_get_n_regions:
 * @prompts: the set
 *
 * The regions that labels are to be looked for in have numbers from 1 on; 0 stands for what labels
 * without one are judged on.
 *
 * Returns: number of regions and 1
 */
ALTCLIP_API guint altclip_prompts_get_n_regions (AltclipPrompts *prompts);

/**
 * altclip_prompts_get_region:
 * @prompts: the set
 * @number: below altclip_prompts_get_n_regions()
 * @region: (out): the region; for number 0 the whole picture
 */
ALTCLIP_API void altclip_prompts_get_region (
        AltclipPrompts *prompts, guint number, AltclipRegion *region);

/**
 * altclip_prompts_is_region_used:
 * @prompts: the set
 * @number: below altclip_prompts_get_n_regions()
 *
 * Returns: whether any label is judged on it: for number 0, whether any has no region
 */
ALTCLIP_API gboolean altclip_prompts_is_region_used (AltclipPrompts *prompts, guint number);

/**
 * altclip_prompts_get_label_region:
 * @prompts: the set
 * @index: below altclip_prompts_get_n_labels()
 *
 * Returns: number of the label's region; 0: it has none
 */
ALTCLIP_API guint altclip_prompts_get_label_region (AltclipPrompts *prompts, guint index);

/**
 * altclip_prompts_get_score_mode:
 * @prompts: the set
 * @otherwise: what to return when the set does not say
 *
 * Returns: how the set is to be scored
 */
ALTCLIP_API AltclipScoreMode altclip_prompts_get_score_mode (
        AltclipPrompts *prompts, AltclipScoreMode otherwise);

/**
 * altclip_prompts_get_logit_scale:
 * @prompts: an embedded set
 *
 * Returns: factor from cosine to logit: the set's own, or the model's
 */
ALTCLIP_API double altclip_prompts_get_logit_scale (AltclipPrompts *prompts);

/**
 * AltclipLabelRules:
 * @threshold: the label becomes active at or above this score
 * @hysteresis: and stops being active below threshold · (1 − hysteresis)
 * @min_on: how long the score must stay at or above the threshold first, in nanoseconds
 * @min_off: and how long below the other line
 * @smoothing: time constant τ of the scores' exponential average, in nanoseconds; 0: they are not
 *   averaged
 *
 * When a label is active: what altclip_tracker_update() goes by.
 */
typedef struct {
    double threshold;
    double hysteresis;
    guint64 min_on;
    guint64 min_off;
    guint64 smoothing;
} AltclipLabelRules;

/**
 * altclip_prompts_get_rules:
 * @prompts: the set
 * @defaults: what holds for a label where the set says nothing
 * @rules: (out caller-allocated): [n_labels]
 *
 * The rules of each label, for altclip_tracker_update(). Thread-safe on embedded prompts.
 */
ALTCLIP_API void altclip_prompts_get_rules (
        AltclipPrompts *prompts, const AltclipLabelRules *defaults, AltclipLabelRules *rules);

/**
 * altclip_prompts_get_neutral:
 * @prompts: the set
 *
 * Returns: (transfer none) (nullable): the neutral phrase that altclip_prompts_embed()
 *   added, or %NULL when every label had something to compare with
 */
ALTCLIP_API const char *altclip_prompts_get_neutral (AltclipPrompts *prompts);

/**
 * altclip_prompts_get_unknown:
 * @prompts: the set, embedded
 * @n: (out): their number
 *
 * Returns: (transfer none) (array length=n): the texts of which more than half the tokens are
 *   unknown to the model's tokenizer, in the set's order
 */
ALTCLIP_API const char *const *altclip_prompts_get_unknown (AltclipPrompts *prompts, guint *n);

/**
 * altclip_prompts_score:
 * @prompts: an embedded set
 * @mode: meaning of @scores
 * @embedding: [projection_dim], unit length, of a picture
 * @scores: (out caller-allocated): [n_labels]
 * @cosines: (out caller-allocated) (nullable): [n_labels]
 *
 * By softmax a label competes with the labels of its group that have the same region, the negatives
 * of all labels, and its own negatives. All labels are judged on this one picture, whatever their
 * region. Allocates nothing when @prompts has at most 1024 candidates. Thread-safe on embedded
 * prompts.
 */
ALTCLIP_API void altclip_prompts_score (AltclipPrompts *prompts, AltclipScoreMode mode,
        const float *embedding, double *scores, double *cosines);

/**
 * altclip_prompts_score_region:
 * @prompts: an embedded set
 * @mode: meaning of @scores
 * @region: below altclip_prompts_get_n_regions()
 * @embedding: [projection_dim], unit length, of that part of a picture
 * @scores: (out caller-allocated): [n_labels], of which those of labels with that region are set
 * @cosines: (out caller-allocated) (nullable): [n_labels], likewise
 *
 * altclip_prompts_score() of the labels that have the region. Thread-safe on embedded prompts.
 */
ALTCLIP_API void altclip_prompts_score_region (AltclipPrompts *prompts, AltclipScoreMode mode,
        guint region, const float *embedding, double *scores, double *cosines);

/* ---- Calibration --------------------------------------------------------- */

/**
 * AltclipSeparation:
 * @threshold: 0 to 1, of cosines −1 to 1: what is there scores at or above it
 * @roc_area: area under the receiver operating characteristic: how often, of a positive and a
 *   negative, the positive scores higher; 0.5: by chance
 * @misses: share of the positives below the threshold
 * @false_alarms: share of the negatives at or above it
 *
 * A threshold, and how well the scores it was made from can be told apart.
 */
typedef struct {
    double threshold;
    double roc_area;
    double misses;
    double false_alarms;
} AltclipSeparation;

/**
 * AltclipMistakes:
 * @alarms: how often an hour the label begins although it is not there, and for how many minutes an
 *   hour it is active then: an alarm that goes on counts as one more a minute
 * @misses: share of the pictures with the label in which it is not active
 *
 * What whoever watches for a label has to live with.
 */
typedef struct {
    double alarms;
    double misses;
} AltclipMistakes;

/**
 * AltclipMistakesFunc:
 * @threshold: one that is tried
 * @mistakes: (out caller-allocated): what comes of it
 * @user_data: as given with the function
 *
 * Counts what comes of a threshold, with all that lies between scores and events: see
 * altclip_tracker_update().
 */
typedef void (*AltclipMistakesFunc) (
        double threshold, AltclipMistakes *mistakes, gpointer user_data);

/**
 * altclip_separate:
 * @mode: meaning of the scores
 * @positives: [n_positives]: a label's scores of pictures that show it, finite
 * @n_positives: their number, not 0
 * @negatives: [n_negatives]: likewise, of pictures that do not
 * @n_negatives: their number, not 0
 * @count: (scope call) (nullable): counts what comes of a threshold; %NULL: each picture is an
 * event of its own, and stands for a minute
 * @user_data: for @count
 * @separation: (out caller-allocated): the threshold that separates them well
 *
 * A threshold costs the share of the label that it misses, and a twentieth for each alarm an hour.
 * Of those from the lowest score to the highest, evenly spaced (of softmax and sigmoid on the
 * logit's scale), all that come within 0.02 of the least cost do equally well. If some of them make
 * no alarm, only these remain. Of what remains the widest range is taken. Of cosines the threshold
 * is its middle. Of softmax and sigmoid it is as near to 0.5 as can be with a quarter of the range
 * between it and either end, or a logit of 1 where that is less. Thread-safe.
 */
ALTCLIP_API void altclip_separate (AltclipScoreMode mode, const double *positives,
        gsize n_positives, const double *negatives, gsize n_negatives, AltclipMistakesFunc count,
        gpointer user_data, AltclipSeparation *separation);

/**
 * altclip_fit_bias:
 * @scale: from cosine to logit: altclip_prompts_get_logit_scale()
 * @positives: [n_positives]: a label's cosines of pictures that show it, finite
 * @n_positives: their number, not 0
 * @negatives: [n_negatives]: likewise, of pictures that do not
 * @n_negatives: their number, not 0
 *
 * The bias with which 1 / (1 + exp (−(scale · cosine + bias))) is the likeliest probability that
 * the label is there, were half of all pictures positives: a logistic regression of fixed slope (J.
 * Platt, "Probabilistic outputs for support vector machines", 1999, with the slope left to the
 * model). Thread-safe.
 *
 * Returns: the bias
 */
ALTCLIP_API double altclip_fit_bias (double scale, const double *positives, gsize n_positives,
        const double *negatives, gsize n_negatives);

/**
 * altclip_prompts_calibrate:
 * @prompts: the set
 * @mode: what the thresholds are for: how the set is to be scored from now on
 * @thresholds: [n_labels], 0 to 1, of cosines −1 to 1: see altclip_separate(); NAN leaves the
 *   label's own
 * @biases: [n_labels]: see altclip_fit_bias(); NAN leaves the label's own
 *
 * Gives labels what a calibration brought. Not thread-safe: to be called before @prompts is shared.
 */
ALTCLIP_API void altclip_prompts_calibrate (AltclipPrompts *prompts, AltclipScoreMode mode,
        const double *thresholds, const double *biases);

/* ---- Tracker: the state of labels over time ------------------------------ */

/**
 * ALTCLIP_TIME_NONE:
 *
 * A time that is not known.
 */
#define ALTCLIP_TIME_NONE G_MAXUINT64

/**
 * AltclipTracker:
 *
 * Averages the scores of labels over time, and remembers which labels are active and what their
 * groups come to. It knows no clock but the times that it is given, so that the same scores at the
 * same times come to the same, however fast. One thread at a time.
 */
typedef struct _AltclipTracker AltclipTracker;

/**
 * AltclipTransition:
 * @index: the label
 * @active: whether it begins (%TRUE) or ends
 * @score: the averaged score that made it so; on an ending without a score, the last one
 * @cosine: likewise, the raw cosine, of one picture
 * @since: time at which it began
 * @time: time of the transition
 * @peak: highest score that it began with, those of min_on included, or that it had since
 */
typedef struct {
    guint index;
    gboolean active;
    double score;
    double cosine;
    guint64 since;
    guint64 time;
    double peak;
} AltclipTransition;

/**
 * ALTCLIP_LABEL_UNKNOWN:
 *
 * In place of a label: none of the group is active.
 */
#define ALTCLIP_LABEL_UNKNOWN (-1)

/**
 * ALTCLIP_LABEL_NONE:
 *
 * In place of a label: no label of the group had a score yet.
 */
#define ALTCLIP_LABEL_NONE (-2)

/**
 * AltclipGroupChange:
 * @group: number of the group, from 1 on
 * @label: the label that its state is now, or %ALTCLIP_LABEL_UNKNOWN
 * @previous: the one that it was; %ALTCLIP_LABEL_NONE with the group's first state
 * @since: time from which on it was that; of no meaning with the first
 * @time: time of the change
 */
typedef struct {
    guint group;
    gint label;
    gint previous;
    guint64 since;
    guint64 time;
} AltclipGroupChange;

/**
 * AltclipLabelState:
 * @active: whether the label is
 * @score: its last score, averaged; NAN: it had none yet
 * @cosine: likewise, not averaged
 * @since: time from which on it is so: when it began, ended, or had its first score;
 *   %ALTCLIP_TIME_NONE: it had none yet
 */
typedef struct {
    gboolean active;
    double score;
    double cosine;
    guint64 since;
} AltclipLabelState;

/**
 * altclip_tracker_new:
 * @prompts: the labels, all inactive at first; the tracker keeps a reference. A file must have been
 *   read
 *
 * Returns: (transfer full): the tracker
 */
ALTCLIP_API AltclipTracker *altclip_tracker_new (AltclipPrompts *prompts);

/**
 * altclip_tracker_free:
 * @tracker: (transfer full) (nullable): what to free
 */
ALTCLIP_API void altclip_tracker_free (AltclipTracker *tracker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipTracker, altclip_tracker_free)

/**
 * altclip_tracker_update:
 * @tracker: the tracker
 * @time: of the scored frame, in nanoseconds, on any one clock; %ALTCLIP_TIME_NONE: not known
 * @rules: [n_labels]: as of now; they may change from one frame to the next
 * @scores: [n_labels]; one that is not a number changes nothing
 * @cosines: [n_labels]
 * @transitions: (element-type AltclipTransition): what flipped is appended
 * @changes: (nullable) (element-type AltclipGroupChange): what groups changed to is appended
 *
 * The average of a label's scores moves towards each new one by 1 − exp (−Δt/τ) of the way, Δt
 * being the time since the one before. It begins with the first, and again with the first after
 * altclip_tracker_end() or after the clock has stepped back; while no time is known there is none.
 *
 * A label flips with the first frame at which its average has been across the line for min_on or
 * min_off, counted from the first frame of those across it in a row. What was between two scores
 * nobody saw: it counts as if the first had lasted, so after a longer time than that may be taken
 * for granted call altclip_tracker_end() first.
 *
 * When a label of a group flips, the group's state becomes its active label of the highest average,
 * the first of equal ones, or unknown when none is active. A group gets its first state with the
 * first score of one of its labels.
 */
ALTCLIP_API void altclip_tracker_update (AltclipTracker *tracker, guint64 time,
        const AltclipLabelRules *rules, const double *scores, const double *cosines,
        GArray *transitions, GArray *changes);

/**
 * altclip_tracker_end:
 * @tracker: the tracker
 * @time: of the ending, on the clock of altclip_tracker_update()
 * @transitions: (element-type AltclipTransition): an ending per active label is appended
 * @changes: (nullable) (element-type AltclipGroupChange): as for altclip_tracker_update()
 *
 * Ends every active label, and begins all averages and waiting times anew.
 */
ALTCLIP_API void altclip_tracker_end (
        AltclipTracker *tracker, guint64 time, GArray *transitions, GArray *changes);

/**
 * altclip_tracker_hold:
 * @tracker: the tracker
 * @from: time of a scored frame
 * @until: time of the last one after it that was not scored, because it shows the same
 * @rules: [n_labels]: as for altclip_tracker_update()
 *
 * Moves averages as the same scores again at @until would, where the last score is that of @from:
 * else the next one would count for all of the time since then. Flips nothing; it is meant for a
 * settled tracker, in which nothing would.
 */
ALTCLIP_API void altclip_tracker_hold (
        AltclipTracker *tracker, guint64 from, guint64 until, const AltclipLabelRules *rules);

/**
 * altclip_tracker_is_settled:
 * @tracker: the tracker
 * @rules: [n_labels]: as for altclip_tracker_update()
 *
 * Says whether scores may be left out while the picture stands still. As long as a label's average
 * is across the line, or its last score is, to which the average moves, only more scores at later
 * times show whether it flips. If these are the last ones again, that comes to an end: with a flip
 * or without one, the tracker is settled once the label's min_on or min_off is over and its average
 * has come to where its last score is.
 *
 * Returns: whether no label would flip, however long the last scores went on
 */
ALTCLIP_API gboolean altclip_tracker_is_settled (
        AltclipTracker *tracker, const AltclipLabelRules *rules);

/**
 * altclip_tracker_is_active:
 * @tracker: the tracker
 * @index: a label
 *
 * Returns: whether label number @index is active
 */
ALTCLIP_API gboolean altclip_tracker_is_active (AltclipTracker *tracker, guint index);

/**
 * altclip_tracker_get_label:
 * @tracker: the tracker
 * @index: a label
 * @state: (out): what is known of it
 */
ALTCLIP_API void altclip_tracker_get_label (
        AltclipTracker *tracker, guint index, AltclipLabelState *state);

/**
 * altclip_tracker_get_group:
 * @tracker: the tracker
 * @group: from 1 on, below altclip_prompts_get_n_groups()
 * @since: (out): time from which on it is so, or %ALTCLIP_TIME_NONE
 *
 * Returns: the label that the group's state is, %ALTCLIP_LABEL_UNKNOWN or %ALTCLIP_LABEL_NONE
 */
ALTCLIP_API gint altclip_tracker_get_group (AltclipTracker *tracker, guint group, guint64 *since);

/* ---- Scheduler: one worker for all streams of a model --------------------- */

/**
 * AltclipStream:
 *
 * One source of pictures. Streams of a process that name the same model and number of threads share
 * a scheduler, which opens the model away from the caller and has one worker for pictures and one
 * for prompts. The functions of a stream may be called from any thread, and at the same time, but
 * for altclip_stream_free(), which is the last.
 */
typedef struct _AltclipStream AltclipStream;

/**
 * AltclipStreamCallbacks:
 * @opened: the model is there (@error %NULL) or cannot be had (@model %NULL); once. The model is
 * the stream's until it is freed; whoever wants it longer takes a reference
 * @prompts_ready: the set given to altclip_stream_set_prompts() has its embeddings
 *   (@error %NULL), or cannot be embedded, or was given up for the next one
 *   (%G_IO_ERROR_CANCELLED). A set replaced before its turn gets none
 * @preprocess: write picture number @index of @frame as the image tower's input, [num_channels,
 *   image_size, image_size]; %FALSE with the error set if that cannot be done. For each picture
 *   once, the first one first
 * @analysed: @frame has its embeddings [n_pictures, projection_dim], each of unit length (@error
 *   %NULL; @embeddings too when there are no pictures), or one of its pictures failed (@embeddings
 *   %NULL); for each frame once, in the order they were given in
 * @frame_free: @frame is no longer needed: after @analysed, or when it was replaced or flushed
 *
 * All are needed, and called without a lock of the scheduler held: from its threads, @opened,
 * @preprocess and @analysed of one stream never at the same time, @prompts_ready from the prompts'
 * worker at any time after @opened. @frame_free may come from the caller of a stream's function
 * too.
 */
typedef struct {
    void (*opened) (gpointer user_data, AltclipModel *model, const GError *error);
    void (*prompts_ready) (gpointer user_data, AltclipPrompts *prompts, const GError *error);
    gboolean (*preprocess) (
            gpointer user_data, gpointer frame, guint index, float *pixel_values, GError **error);
    void (*analysed) (
            gpointer user_data, gpointer frame, const float *embeddings, const GError *error);
    void (*frame_free) (gpointer user_data, gpointer frame);
} AltclipStreamCallbacks;

/**
 * AltclipStreamStats:
 * @submitted: frames given
 * @analysed: frames that got their embeddings; those of no picture are not counted
 * @replaced: frames that a newer one took the place of, or that were flushed
 * @failed: frames whose preprocessing or inference failed
 * @latency_p50: median of the last 128 times from submission to result, in ns
 * @latency_p95: 95th percentile of the same
 * @queue_age: age of the oldest waiting frame, in ns
 * @waits: how often a call waited for a callback: altclip_stream_flush() does, and nothing else
 */
typedef struct {
    guint64 submitted;
    guint64 analysed;
    guint64 replaced;
    guint64 failed;
    guint64 latency_p50;
    guint64 latency_p95;
    guint64 queue_age;
    guint64 waits;
} AltclipStreamStats;

/**
 * AltclipWorkerStats:
 * @streams: how many share the worker now
 * @analysed: frames of all streams that got an embedding
 * @failed: frames of all streams whose preprocessing or inference failed
 * @batches: runs of the image tower
 * @pictures: pictures in these runs
 * @idle: how often the worker had nothing to do and went to sleep
 * @idle_with_frames: how often it did although a frame waited: never
 *
 * What the worker that a stream shares has done for all of them, since it was started.
 */
typedef struct {
    guint streams;
    guint64 analysed;
    guint64 failed;
    guint64 batches;
    guint64 pictures;
    guint64 idle;
    guint64 idle_with_frames;
} AltclipWorkerStats;

/**
 * altclip_stream_new:
 * @directory: the model; opened on the worker thread if no other stream has it open with the same
 *   precision and threads
 * @precision: see #AltclipPrecision
 * @threads: as for altclip_session_new()
 * @callbacks: copied
 * @user_data: handed to each of them
 *
 * Joins the scheduler for @directory, starting it if needed. Returns at once: all
 * that can go wrong with the model is told to @opened.
 *
 * Returns: (transfer full): the stream
 */
ALTCLIP_API AltclipStream *altclip_stream_new (const char *directory, AltclipPrecision precision,
        guint threads, const AltclipStreamCallbacks *callbacks, gpointer user_data);

/**
 * altclip_stream_free:
 * @stream: (transfer full) (nullable): what to free
 *
 * Drops what waits, waits for a callback of this stream that is running, and leaves the
 * scheduler. The last stream's leaving cancels an opening in progress and closes the model.
 * Must not be called from a callback.
 */
ALTCLIP_API void altclip_stream_free (AltclipStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipStream, altclip_stream_free)

/**
 * altclip_stream_set_prompts:
 * @stream: the stream
 * @prompts: (transfer none): a set, not embedded yet, which no other stream is given
 *
 * Replaces a set that still waits, and has one that is being embedded given up unless it is ready
 * first: of sets that come faster than they can be embedded, the last one is. Returns at once: of a
 * set that altclip_prompts_new_for_file() made, the prompts' worker reads the file too.
 *
 * Returns: (transfer full) (nullable): the set that waited and gets no @prompts_ready now
 */
ALTCLIP_API AltclipPrompts *altclip_stream_set_prompts (
        AltclipStream *stream, AltclipPrompts *prompts);

/**
 * ALTCLIP_MAX_PICTURES:
 *
 * Most pictures in one frame of a stream.
 */
#define ALTCLIP_MAX_PICTURES 256

/**
 * altclip_stream_submit_latest:
 * @stream: the stream
 * @frame: (transfer full): the newest frame; replaces one that still waits
 * @n_pictures: in it, at most %ALTCLIP_MAX_PICTURES
 *
 * For live streams: at most one frame waits. Never blocks. Streams take turns picture by picture,
 * so that a frame of many does not hold up the others.
 */
ALTCLIP_API void altclip_stream_submit_latest (
        AltclipStream *stream, gpointer frame, guint n_pictures);

/**
 * altclip_stream_submit:
 * @stream: the stream
 * @frame: (transfer full): a frame to be analysed in its turn
 * @n_pictures: in it, at most %ALTCLIP_MAX_PICTURES; 0: it only takes its turn
 *
 * For exact streams: every frame is analysed, in order. Never blocks; the caller bounds
 * how many it lets wait.
 */
ALTCLIP_API void altclip_stream_submit (AltclipStream *stream, gpointer frame, guint n_pictures);

/**
 * altclip_stream_flush:
 * @stream: the stream
 *
 * Drops the frames that wait and those in work: @analysed is not called for them. When this
 * returns, no callback of the stream is running. Waits for a running one, never for an inference.
 * Must not be called from a callback, nor with a lock held that a callback takes.
 */
ALTCLIP_API void altclip_stream_flush (AltclipStream *stream);

/**
 * altclip_stream_get_stats:
 * @stream: the stream
 * @stats: (out caller-allocated): counted since altclip_stream_new()
 */
ALTCLIP_API void altclip_stream_get_stats (AltclipStream *stream, AltclipStreamStats *stats);

/**
 * altclip_stream_get_worker_stats:
 * @stream: one of the streams that share the worker
 * @stats: (out caller-allocated): the worker's
 */
ALTCLIP_API void altclip_stream_get_worker_stats (AltclipStream *stream, AltclipWorkerStats *stats);

/* ---- Random weights -------------------------------------------------------- */

/**
 * altclip_initialise:
 * @config_path: (nullable): a `config.json`, of a whole model or of one tower; %NULL: the defaults
 *   of the reference's classes
 * @seed: of the random numbers
 * @directory: created if missing; gets `config.json` with every field, `model.safetensors`, and
 *   unless there is no image tower `preprocessor_config.json`
 * @error: #ALTCLIP_ERROR
 *
 * Writes a model of random weights, drawn as transformers 4.46 draws them: in the text tower, and
 * nowhere else, the standard deviation is the text configuration's `initializer_factor` (version 5
 * takes `initializer_range`). The same seed gives the same weights on every machine. The weights go
 * to the disk as they are drawn: 4 bytes for each of at most 2 000 000 000. Thread-safe.
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_initialise (
        const char *config_path, guint64 seed, const char *directory, GError **error);

/**
 * altclip_initialise_from_towers:
 * @text_path: a `config.json` of a text tower, or of a whole model, whose text tower is taken
 * @vision_path: a `config.json` of an image tower, or of a whole model, whose image tower is taken
 * @seed: of the random numbers
 * @directory: as for altclip_initialise()
 * @error: #ALTCLIP_ERROR
 *
 * altclip_initialise() for the model that the reference's `AltCLIPConfig.from_text_vision_configs`
 * composes: the two towers, and the defaults for what they share. Thread-safe.
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_initialise_from_towers (const char *text_path, const char *vision_path,
        guint64 seed, const char *directory, GError **error);

/* ---- Smaller directories --------------------------------------------------- */

/**
 * AltclipConvertFlags:
 * @ALTCLIP_CONVERT_NONE: all that the directory has
 * @ALTCLIP_CONVERT_IMAGE_TOWER_ONLY: without the text tower and its tokenizer: prompts must have
 *   their embeddings ready, see altclip_prompts_describe()
 *
 * What altclip_convert() takes.
 */
typedef enum {
    ALTCLIP_CONVERT_NONE = 0,
    ALTCLIP_CONVERT_IMAGE_TOWER_ONLY = 1 << 0
} AltclipConvertFlags;

/**
 * altclip_convert:
 * @directory: a model, with weights of any format
 * @precision: %ALTCLIP_PRECISION_BF16: matrices are rounded, vectors become or stay 32-bit floats.
 *   %ALTCLIP_PRECISION_INT8: the same, but that matrices of the image tower's blocks become 8-bit
 *   integers, where these are not too coarse
 * @flags: what of it
 * @output: created if missing, and without weights so far; gets `model.safetensors`, `config.json`
 *   and copies of the other files that a model is read from
 * @error: #ALTCLIP_ERROR
 *
 * Makes a model of half the size, which opens faster. Computed in %ALTCLIP_PRECISION_BF16 its image
 * tower gives the same numbers as before to the bit; in %ALTCLIP_PRECISION_F32 both towers are
 * those of the rounded matrices. The reference loads it, unless it is the image tower alone.
 * Weights pass through a few MB of memory.
 *
 * In 8-bit integers the image tower has a quarter of the size, and its layers are in integers or
 * not as it says, whichever CPU opens it. The reference does not load it. To write it takes the
 * memory of the image tower in integers. Thread-safe.
 *
 * Returns: %TRUE on success
 */
ALTCLIP_API gboolean altclip_convert (const char *directory, AltclipPrecision precision,
        AltclipConvertFlags flags, const char *output, GError **error);

G_END_DECLS

#endif /* ALTCLIP_H */
