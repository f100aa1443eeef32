/* altclip: the sentencepiece tokenizer of XLM-R, as a C interface
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thin shim over libsentencepiece. The library trusts its model file: a kind of model it does not
 * know, a broken normaliser table or a piece with a NUL in it makes it read out of bounds or end
 * the process. So the file is checked here first, and only what passed is handed over.
 */

#include "excerpt.h"
#include "file.h"
#include "tokenizer.h"

#include <math.h>
#include <sentencepiece_processor.h>
#include <string.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace
{

constexpr gsize MAX_TEXT_BYTES = 1024 * 1024;
/* The library keeps room for 64 nested user-defined pieces, and for 32 nested rules. */
constexpr gsize MAX_USER_PIECE_BYTES = 64;
constexpr guint MAX_NESTED_RULES = 32;
constexpr gsize MAX_TABLE_BYTES = 2 * 1024 * 1024;
constexpr gsize MAX_REPLACEMENT_BYTES = 1024;
constexpr gsize MAX_SELF_TEST_BYTES = 1024 * 1024;

/* Piece i of the model has id i + 1, but for its first three, the specials. */
constexpr int ID_SHIFT = 1;
constexpr int N_MODEL_SPECIALS = 3;

struct Special {
    std::string_view text;
    gint32 id;
};

constexpr Special SPECIALS[] = {
    { "<s>", ALTCLIP_TOKEN_BOS },
    { "<pad>", ALTCLIP_TOKEN_PAD },
    { "</s>", ALTCLIP_TOKEN_EOS },
    { "<unk>", ALTCLIP_TOKEN_UNK },
};
constexpr std::string_view MASK = "<mask>";
constexpr std::string_view SPACE_PIECE = "\xe2\x96\x81";

/* ---- The file's outline: protocol buffers ---------------------------------------------------- */

/* What is wrong with the file. */
struct FormatError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Field {
    guint64 number;
    guint wire; /* 0: value, 2: bytes, 5: value of four bytes, 1: skipped */
    guint64 value;
    std::string_view bytes;
};

/* The fields of one message, in order. */
class Reader
{
  public:
    Reader (const char *name, std::string_view bytes) : name_ (name), bytes_ (bytes)
    {
    }

    bool
    done () const
    {
        return bytes_.empty ();
    }

    Field
    next ()
    {
        guint64 tag = varint ();
        Field field = { tag >> 3, (guint)(tag & 7), 0, {} };

        if (tag > G_MAXUINT32 || field.number == 0)
            fail ("a field has no valid number");
        if (field.wire == 0)
            field.value = varint ();
        else if (field.wire == 1)
            take (8);
        else if (field.wire == 2)
            field.bytes = take (varint ());
        else if (field.wire == 5)
            field.value = little_endian (take (4).data ());
        else
            fail ("a field has an unknown wire type");
        return field;
    }

    /* Protocol buffers let a field's last value win, and skip one of the wrong type: refused, so
     * that what is checked here is what the library reads. */
    void
    expect (const Field &field, guint wire, bool *seen)
    {
        if (field.wire != wire)
            fail ("a field has the wrong type");
        if (seen && *seen)
            fail ("a field is there twice");
        if (seen)
            *seen = true;
    }

    [[noreturn]] void
    fail (const char *what) const
    {
        throw FormatError (std::string (name_) + ": " + what);
    }

    static guint32
    little_endian (const char *bytes)
    {
        guint32 value;

        memcpy (&value, bytes, sizeof value);
        return GUINT32_FROM_LE (value);
    }

  private:
    guint64
    varint ()
    {
        guint64 value = 0;

        for (guint shift = 0; shift < 64 && !bytes_.empty (); shift += 7) {
            guint8 byte = (guint8)bytes_.front ();
            bytes_.remove_prefix (1);
            value |= (guint64)(byte & 0x7F) << shift;
            if (!(byte & 0x80))
                return value;
        }
        fail ("cut short, or not a sentencepiece model");
    }

    std::string_view
    take (guint64 n)
    {
        if (n > bytes_.size ())
            fail ("cut short, or not a sentencepiece model");
        std::string_view taken = bytes_.substr (0, n);
        bytes_.remove_prefix (n);
        return taken;
    }

    const char *name_;
    std::string_view bytes_;
};

/* ---- The normaliser's table ------------------------------------------------------------------ */

/* A darts-clone double array: a trie over bytes whose leaves are offsets of replacements. */
class Trie
{
  public:
    Trie (const Reader &reader, std::string_view units, std::string_view replacements)
        : reader_ (reader), units_ (units), replacements_ (replacements), n_ (units.size () / 4)
    {
    }

    /* Walks every path from the root, and one that was walked again only when more rules lie on
     * the way to it: paths may meet, and one that runs in a circle over a rule holds too many. */
    void
    check () const
    {
        std::vector<guint8> n_walked (n_, 0); /* per block: most rules on the way to it, plus 1 */
        std::vector<guint32> waiting;
        guint32 root = children (0, unit (0));

        n_walked[root] = 1;
        waiting.push_back (root);
        for (gsize n_steps = 0; !waiting.empty (); n_steps++) {
            guint32 block = waiting.back ();
            waiting.pop_back ();
            if (n_steps > 2 * (gsize)n_)
                reader_.fail ("the table is too tangled");
            for (guint32 byte = 0; byte < 256; byte++) {
                guint32 at = block ^ byte;
                guint32 child = unit (at);
                if ((child & LABEL) != byte)
                    continue;
                guint32 next = children (at, child);
                guint n_rules = n_walked[block] + check_rule (at, child);
                if (n_rules > MAX_NESTED_RULES)
                    reader_.fail ("too many rules start alike");
                if (n_rules <= n_walked[next])
                    continue;
                n_walked[next] = (guint8)n_rules;
                waiting.push_back (next);
            }
        }
    }

  private:
    static constexpr guint32 LABEL = (1U << 31) | 0xFF;
    static constexpr guint32 HAS_LEAF = 1U << 8;

    guint32
    unit (guint32 at) const
    {
        return Reader::little_endian (units_.data () + (gsize)at * 4);
    }

    /* n_ is a multiple of 256, so a block that begins inside lies inside. */
    guint32
    children (guint32 at, guint32 value) const
    {
        guint32 block = at ^ ((value >> 10) << ((value & (1U << 9)) >> 6));

        if (block >= n_)
            reader_.fail ("the table points outside itself");
        return block;
    }

    guint
    check_rule (guint32 at, guint32 value) const
    {
        if (!(value & HAS_LEAF))
            return 0;
        guint32 offset = unit (children (at, value)) & ~(1U << 31);
        if (offset >= replacements_.size () || (replacements_[offset] & 0xC0) == 0x80)
            reader_.fail ("a rule points outside the replacements");
        return 1;
    }

    const Reader &reader_;
    std::string_view units_;
    std::string_view replacements_;
    guint32 n_;
};

/* NUL-terminated UTF-8, one after the other. */
void
check_replacements (const Reader &reader, std::string_view replacements)
{
    if (replacements.empty () || replacements.back () != '\0')
        reader.fail ("the replacements do not end");
    while (!replacements.empty ()) {
        gsize length = replacements.find ('\0');
        if (length > MAX_REPLACEMENT_BYTES)
            reader.fail ("a replacement is too long");
        if (!g_utf8_validate (replacements.data (), (gssize)length, nullptr))
            reader.fail ("a replacement is not UTF-8");
        replacements.remove_prefix (length + 1);
    }
}

/* bytes of the trie, the trie, the replacements */
void
check_charsmap (const Reader &reader, std::string_view map)
{
    guint32 n_bytes;

    if (map.empty ())
        return;
    if (map.size () < 4)
        reader.fail ("the table is cut short");
    n_bytes = Reader::little_endian (map.data ());
    map.remove_prefix (4);
    if (n_bytes >= map.size () || n_bytes == 0 || n_bytes > MAX_TABLE_BYTES ||
            n_bytes % (256 * 4) != 0)
        reader.fail ("the table has an impossible size");
    check_replacements (reader, map.substr (n_bytes));
    Trie (reader, map.substr (0, n_bytes), map.substr (n_bytes)).check ();
}

/* NormalizerSpec */
void
check_normalizer (const char *name, std::string_view bytes)
{
    Reader reader (name, bytes);
    bool has_map = false;

    while (!reader.done ()) {
        Field field = reader.next ();
        if (field.number == 2) {
            reader.expect (field, 2, &has_map);
            check_charsmap (reader, field.bytes);
        }
    }
}

/* ---- The model ------------------------------------------------------------------------------- */

enum PieceType : guint64 { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, LAST = 6 };

void
check_piece_text (const Reader &reader, std::string_view text, guint64 type)
{
    if (text.empty () || text.find ('\0') != text.npos ||
            !g_utf8_validate (text.data (), (gssize)text.size (), nullptr))
        reader.fail ("empty or not UTF-8");
    if (text.size () >
            (type == USER_DEFINED ? MAX_USER_PIECE_BYTES : ALTCLIP_TOKENIZER_MAX_PIECE_BYTES))
        reader.fail ("too long");
}

void
check_special (const Reader &reader, gsize index, std::string_view text, guint64 type)
{
    static constexpr std::string_view expected[N_MODEL_SPECIALS] = { "<unk>", "<s>", "</s>" };

    if (index < N_MODEL_SPECIALS && text != expected[index])
        reader.fail ("the first three must be <unk>, <s>, </s>");
    if ((type == UNKNOWN) != (index == 0))
        reader.fail ("the first one, and no other, must be of type unknown");
}

/* ModelProto.SentencePiece */
void
check_piece (gsize index, std::string_view bytes)
{
    std::string name = "piece " + std::to_string (index);
    Reader reader (name.c_str (), bytes);
    bool has_text = false;
    bool has_score = false;
    bool has_type = false;
    std::string_view text;
    guint64 type = NORMAL;

    while (!reader.done ()) {
        Field field = reader.next ();
        if (field.number == 1) {
            reader.expect (field, 2, &has_text);
            text = field.bytes;
        } else if (field.number == 2) {
            guint32 bits = (guint32)field.value;
            float score;
            reader.expect (field, 5, &has_score);
            memcpy (&score, &bits, sizeof score);
            if (!(fabs ((double)score) <= ALTCLIP_TOKENIZER_MAX_SCORE))
                reader.fail ("its score is not a sensible number");
        } else if (field.number == 3) {
            reader.expect (field, 0, &has_type);
            type = field.value;
            if (type < NORMAL || type > LAST)
                reader.fail ("of unknown type");
        }
    }
    check_piece_text (reader, text, type);
    check_special (reader, index, text, type);
}

/* TrainerSpec */
void
check_trainer (std::string_view bytes)
{
    Reader reader ("trainer_spec", bytes);
    bool has_type = false;

    while (!reader.done ()) {
        Field field = reader.next ();
        if (field.number != 3)
            continue;
        reader.expect (field, 0, &has_type);
        if (field.value != 1)
            reader.fail ("model_type is not unigram");
    }
}

/* ModelProto */
void
check_model (std::string_view bytes)
{
    Reader reader ("model", bytes);
    bool seen[6] = {};
    gsize n_pieces = 0;

    while (!reader.done ()) {
        Field field = reader.next ();
        if (field.number < 1 || field.number > 5)
            continue;
        reader.expect (field, 2, field.number == 1 ? nullptr : &seen[field.number]);
        if (field.number == 1)
            check_piece (n_pieces++, field.bytes);
        else if (field.number == 2)
            check_trainer (field.bytes);
        else if (field.number == 3)
            check_normalizer ("normalizer_spec", field.bytes);
        else if (field.number == 4 && field.bytes.size () > MAX_SELF_TEST_BYTES)
            reader.fail ("self_test_data is too long");
        else if (field.number == 5)
            check_normalizer ("denormalizer_spec", field.bytes);
        if (n_pieces > ALTCLIP_TOKENIZER_MAX_PIECES)
            reader.fail ("too many pieces");
    }
    if (n_pieces <= N_MODEL_SPECIALS)
        reader.fail ("no pieces, or not a sentencepiece model");
}

} // namespace

struct _AltclipTokenizer {
    std::string path; /* for messages */
    bool clean_up = false;
    sentencepiece::SentencePieceProcessor processor;
};

namespace
{

/* ---- Texts ----------------------------------------------------------------------------------- */

/* What Python's str.strip() takes for a space. */
bool
is_space (gunichar c)
{
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view
strip_right (std::string_view text)
{
    while (!text.empty ()) {
        const char *end = text.data () + text.size ();
        const char *last = g_utf8_find_prev_char (text.data (), end);
        if (!last || !is_space (g_utf8_get_char (last)))
            break;
        text.remove_suffix ((gsize)(end - last));
    }
    return text;
}

std::string_view
strip (std::string_view text)
{
    text = strip_right (text);
    while (!text.empty () && is_space (g_utf8_get_char (text.data ())))
        text.remove_prefix ((gsize)(g_utf8_next_char (text.data ()) - text.data ()));
    return text;
}

gint32
mask_id (const AltclipTokenizer *tokenizer)
{
    return tokenizer->processor.GetPieceSize () + ID_SHIFT;
}

/* Returns: the special token that @text begins with, of id −1 if it begins with none */
Special
match_special (const AltclipTokenizer *tokenizer, std::string_view text)
{
    for (const Special &special : SPECIALS) {
        if (text.substr (0, special.text.size ()) == special.text)
            return special;
    }
    if (text.substr (0, MASK.size ()) == MASK)
        return { MASK, mask_id (tokenizer) };
    return { {}, -1 };
}

gint32
piece_to_id (const AltclipTokenizer *tokenizer, const std::string &piece)
{
    Special special = match_special (tokenizer, piece);
    int id;

    if (special.id >= 0 && special.text.size () == piece.size ())
        return special.id;
    id = tokenizer->processor.PieceToId (piece);
    return id > 0 ? id + ID_SHIFT : ALTCLIP_TOKEN_UNK;
}

/* Through the pieces' texts rather than their ids, as the reference goes. */
void
append_pieces (const AltclipTokenizer *tokenizer, std::string_view text, GArray *ids)
{
    std::vector<std::string> pieces;
    const auto status = tokenizer->processor.Encode (text, &pieces);

    if (!status.ok ())
        throw std::runtime_error (status.ToString ());
    for (const std::string &piece : pieces) {
        gint32 id = piece_to_id (tokenizer, piece);
        g_array_append_val (ids, id);
    }
}

/* Special tokens begin with '<' and hold no other, so the first match is the reference's. */
void
append_text (const AltclipTokenizer *tokenizer, std::string_view text, GArray *ids)
{
    gsize begin = 0;
    gsize at = 0;

    while ((at = text.find ('<', at)) != text.npos) {
        Special special = match_special (tokenizer, text.substr (at));
        if (special.id < 0) {
            at++;
            continue;
        }
        std::string_view before = text.substr (begin, at - begin);
        append_pieces (tokenizer, special.text == MASK ? strip_right (before) : before, ids);
        g_array_append_val (ids, special.id);
        at += special.text.size ();
        begin = at;
    }
    append_pieces (tokenizer, text.substr (begin), ids);
}

bool
check_text (const char *text, GError **error)
{
    gsize length = strlen (text);
    const char *end;

    if (length > MAX_TEXT_BYTES) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT,
                "a text of %" G_GSIZE_FORMAT " bytes exceeds the limit of %" G_GSIZE_FORMAT, length,
                MAX_TEXT_BYTES);
        return false;
    }
    if (!g_utf8_validate (text, (gssize)length, &end)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT,
                "the text is not valid UTF-8: byte 0x%02X at offset %" G_GSIZE_FORMAT,
                (guint)(guint8)*end, (gsize)(end - text));
        return false;
    }
    return true;
}

std::string
id_to_text (const AltclipTokenizer *tokenizer, gint32 id)
{
    for (const Special &special : SPECIALS) {
        if (special.id == id)
            return std::string (special.text);
    }
    if (id == mask_id (tokenizer))
        return std::string (MASK);
    return tokenizer->processor.IdToPiece (id - ID_SHIFT);
}

std::string
join_ids (const AltclipTokenizer *tokenizer, const gint32 *ids, gsize n_ids)
{
    std::string text;

    for (gsize i = 0; i < n_ids; i++) {
        std::string piece = id_to_text (tokenizer, ids[i]);
        for (gsize at = 0; (at = piece.find (SPACE_PIECE, at)) != piece.npos; at++)
            piece.replace (at, SPACE_PIECE.size (), " ");
        text += piece;
    }
    return std::string (strip (text));
}

std::string
replace_all (std::string_view text, std::string_view from, std::string_view to)
{
    std::string out;
    gsize end;

    while ((end = text.find (from)) != text.npos) {
        out += text.substr (0, end);
        out += to;
        text.remove_prefix (end + from.size ());
    }
    out += text;
    return out;
}

/* No blank before a mark or a clitic: the reference's clean_up_tokenization, in its order. */
std::string
clean_up (std::string text)
{
    static constexpr std::pair<std::string_view, std::string_view> replacements[] = {
        { " .", "." },
        { " ?", "?" },
        { " !", "!" },
        { " ,", "," },
        { " ' ", "'" },
        { " n't", "n't" },
        { " 'm", "'m" },
        { " 's", "'s" },
        { " 've", "'ve" },
        { " 're", "'re" },
    };

    for (const auto &[from, to] : replacements)
        text = replace_all (text, from, to);
    return text;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* The library's messages quote pieces, which may hold anything. */
void
set_error (GError **error, AltclipError code, const std::string &path, const char *what,
        const std::exception &e)
{
    g_autofree char *reason = altclip_excerpt (e.what ());

    g_set_error (error, ALTCLIP_ERROR, code, "%s: %s%s", path.c_str (), what, reason);
}

void
load (AltclipTokenizer *tokenizer, std::string_view bytes)
{
    check_model (bytes);
    const auto status = tokenizer->processor.LoadFromSerializedProto (bytes);
    if (!status.ok ())
        throw FormatError (status.ToString ());
}

} // namespace

/* ---- The C interface ------------------------------------------------------------------------- */

extern "C" {

AltclipTokenizer *
altclip_tokenizer_open (const char *path, GError **error)
{
    g_autofree char *contents = nullptr;
    gsize length = 0;

    if (!altclip_file_read (path, ALTCLIP_TOKENIZER_MAX_BYTES, &contents, &length, error))
        return nullptr;
    return altclip_tokenizer_parse (path, contents, length, error);
}

AltclipTokenizer *
altclip_tokenizer_parse (const char *path, const char *bytes, gsize n_bytes, GError **error)
{
    try {
        auto tokenizer = std::make_unique<AltclipTokenizer> ();
        tokenizer->path = path;
        load (tokenizer.get (), std::string_view (bytes, n_bytes));
        return tokenizer.release ();
    } catch (const std::exception &e) {
        set_error (error, ALTCLIP_ERROR_FORMAT, path, "", e);
    } catch (...) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT, "%s: cannot be loaded", path);
    }
    return nullptr;
}

void
altclip_tokenizer_set_clean_up (AltclipTokenizer *tokenizer, gboolean clean_up)
{
    tokenizer->clean_up = clean_up;
}

void
altclip_tokenizer_free (AltclipTokenizer *tokenizer)
{
    delete tokenizer;
}

const char *
altclip_tokenizer_get_path (AltclipTokenizer *tokenizer)
{
    return tokenizer->path.c_str ();
}

guint
altclip_tokenizer_get_vocab_size (AltclipTokenizer *tokenizer)
{
    return (guint)mask_id (tokenizer) + 1;
}

GArray *
altclip_tokenizer_encode (
        AltclipTokenizer *tokenizer, const char *text, guint max_tokens, GError **error)
{
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
    const gint32 bos = ALTCLIP_TOKEN_BOS;
    const gint32 eos = ALTCLIP_TOKEN_EOS;

    g_return_val_if_fail (max_tokens >= 2, nullptr);
    if (!check_text (text, error))
        return nullptr;
    try {
        g_array_append_val (ids, bos);
        append_text (tokenizer, text, ids);
        g_array_set_size (ids, MIN (ids->len, max_tokens - 1));
        g_array_append_val (ids, eos);
        return static_cast<GArray *> (g_steal_pointer (&ids));
    } catch (const std::exception &e) {
        set_error (error, ALTCLIP_ERROR_TEXT, tokenizer->path, "a text cannot be tokenized: ", e);
    } catch (...) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT, "%s: a text cannot be tokenized",
                tokenizer->path.c_str ());
    }
    return nullptr;
}

char *
altclip_tokenizer_decode (
        AltclipTokenizer *tokenizer, const gint32 *ids, gsize n_ids, GError **error)
{
    for (gsize i = 0; i < n_ids; i++) {
        if (ids[i] >= 0 && ids[i] <= mask_id (tokenizer))
            continue;
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT,
                "%s: token id %d is outside the vocabulary, 0 to %d", tokenizer->path.c_str (),
                ids[i], mask_id (tokenizer));
        return nullptr;
    }
    try {
        std::string text = join_ids (tokenizer, ids, n_ids);
        if (tokenizer->clean_up)
            text = clean_up (std::move (text));
        return g_strndup (text.data (), text.size ());
    } catch (const std::exception &e) {
        set_error (error, ALTCLIP_ERROR_TEXT, tokenizer->path, "ids cannot be decoded: ", e);
    } catch (...) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT, "%s: ids cannot be decoded",
                tokenizer->path.c_str ());
    }
    return nullptr;
}

} // extern "C"
