/* SPDX-License-Identifier: MIT */
#include "bittensor/metadata.h"

#include "base/mem.h"
#include "bittensor/scale.h"

#include <string.h>

/* Only where things lie is kept: definitions are read again when somebody asks. What was walked
 * once without a failure cannot fail the second time. */
struct type {
    uint32_t def; /* offset of the definition's tag */
};

struct pallet {
    struct sf_str name;
    int64_t calls, events, errors; /* type, -1 none */
    uint8_t index;
};

struct extension {
    struct sf_str name;
    uint32_t extra, additional;
};

#define PALLETS_MAX 256
#define EXTENSIONS_MAX 64
#define TYPE_MAX (1U << 20)

struct metadata {
    uint8_t *bytes;
    size_t n;
    unsigned version, extrinsic_version;
    struct type *types;
    size_t n_types;
    struct pallet pallets[PALLETS_MAX];
    size_t n_pallets;
    struct extension extensions[EXTENSIONS_MAX];
    size_t n_extensions;
};

enum def_tag { COMPOSITE, VARIANT, SEQUENCE, ARRAY, TUPLE, PRIMITIVE, COMPACT, BITSEQUENCE };

static uint32_t read_type_id(struct scale_in *in)
{
    return (uint32_t)scale_compact(in, TYPE_MAX);
}

static struct scale_in at(const struct metadata *m, uint32_t offset)
{
    return scale_in(m->bytes + offset, m->n - offset);
}

static uint32_t offset_of(const struct metadata *m, const struct scale_in *in)
{
    return (uint32_t)(in->p - m->bytes);
}

/* ---------------------------------------------------------------- walking over */

static void skip_texts(struct scale_in *in)
{
    for (size_t i = scale_vec(in, 1); i > 0; i--) {
        (void)scale_text(in);
    }
}

struct field {
    struct sf_str name; /* "" for a tuple's */
    uint32_t type;
};

static struct field read_field(struct scale_in *in)
{
    struct field f = {{"", 0}, 0};
    if (scale_option(in)) {
        f.name = scale_text(in);
    }
    f.type = read_type_id(in);
    if (scale_option(in)) {
        (void)scale_text(in); /* the type as the source wrote it */
    }
    skip_texts(in);
    return f;
}

static void skip_fields(struct scale_in *in)
{
    for (size_t i = scale_vec(in, 4); i > 0; i--) {
        (void)read_field(in);
    }
}

struct variant {
    struct sf_str name;
    struct scale_in fields; /* before their Vec */
    uint8_t index;
};

static struct variant read_variant(struct scale_in *in)
{
    struct variant v;
    v.name = scale_text(in);
    v.fields = *in;
    skip_fields(in);
    v.index = scale_u8(in);
    skip_texts(in);
    return v;
}

static void skip_def(struct scale_in *in)
{
    switch (scale_u8(in)) {
    case COMPOSITE:
        skip_fields(in);
        break;
    case VARIANT:
        for (size_t i = scale_vec(in, 4); i > 0; i--) {
            (void)read_variant(in);
        }
        break;
    case ARRAY:
        (void)scale_u32(in);
        (void)read_type_id(in);
        break;
    case TUPLE:
        for (size_t i = scale_vec(in, 1); i > 0; i--) {
            (void)read_type_id(in);
        }
        break;
    case PRIMITIVE:
        if (scale_u8(in) > 14) {
            scale_fail(in);
        }
        break;
    case SEQUENCE:
    case COMPACT:
        (void)read_type_id(in);
        break;
    case BITSEQUENCE:
        (void)read_type_id(in);
        (void)read_type_id(in);
        break;
    default:
        scale_fail(in);
    }
}

static void read_types(struct metadata *m, struct scale_in *in)
{
    size_t n = scale_vec(in, 6);
    m->types = in->failed ? NULL : sf_alloc((n + 1) * sizeof *m->types);
    for (size_t i = 0; m->types != NULL && i < n && !in->failed; i++) {
        if (read_type_id(in) != i) {
            scale_fail(in); /* a registry numbers its types through */
        }
        skip_texts(in); /* path */
        for (size_t k = scale_vec(in, 2); k > 0; k--) {
            (void)scale_text(in);
            if (scale_option(in)) {
                (void)read_type_id(in);
            }
        }
        m->types[i].def = offset_of(m, in);
        skip_def(in);
        skip_texts(in);
        m->n_types = i + 1;
    }
}

static void skip_storage(struct scale_in *in)
{
    if (!scale_option(in)) {
        return;
    }
    (void)scale_text(in); /* prefix */
    for (size_t i = scale_vec(in, 6); i > 0; i--) {
        (void)scale_text(in);
        (void)scale_bool(in); /* optional, or with a default */
        if (scale_bool(in)) { /* a map: hashers, key */
            for (size_t k = scale_vec(in, 1); k > 0; k--) {
                if (scale_u8(in) > 6) {
                    scale_fail(in);
                }
            }
            (void)read_type_id(in);
        }
        (void)read_type_id(in);
        (void)scale_text(in); /* the default's bytes */
        skip_texts(in);
    }
}

static int64_t read_optional_type(struct scale_in *in)
{
    return scale_option(in) ? (int64_t)read_type_id(in) : -1;
}

static void skip_constants(struct scale_in *in)
{
    for (size_t i = scale_vec(in, 4); i > 0; i--) {
        (void)scale_text(in);
        (void)read_type_id(in);
        (void)scale_text(in);
        skip_texts(in);
    }
}

static void read_pallets(struct metadata *m, struct scale_in *in)
{
    size_t n = scale_vec(in, 7);
    if (n > PALLETS_MAX) {
        scale_fail(in);
    }
    for (size_t i = 0; i < n && !in->failed; i++) {
        struct pallet *p = &m->pallets[i];
        p->name = scale_text(in);
        skip_storage(in);
        p->calls = read_optional_type(in);
        p->events = read_optional_type(in);
        skip_constants(in);
        p->errors = read_optional_type(in);
        p->index = scale_u8(in);
        if (m->version == 15) {
            skip_texts(in);
        }
        m->n_pallets = i + 1;
    }
}

static void read_extrinsic(struct metadata *m, struct scale_in *in)
{
    if (m->version == 14) {
        (void)read_type_id(in);
    }
    m->extrinsic_version = scale_u8(in);
    for (int i = 0; m->version == 15 && i < 4; i++) {
        (void)read_type_id(in); /* address, call, signature, extra */
    }
    size_t n = scale_vec(in, 3);
    if (n > EXTENSIONS_MAX) {
        scale_fail(in);
    }
    for (size_t i = 0; i < n && !in->failed; i++) {
        struct extension *e = &m->extensions[i];
        e->name = scale_text(in);
        e->extra = read_type_id(in);
        e->additional = read_type_id(in);
        m->n_extensions = i + 1;
    }
}

static void skip_apis(struct scale_in *in)
{
    for (size_t i = scale_vec(in, 3); i > 0; i--) {
        (void)scale_text(in);
        for (size_t k = scale_vec(in, 4); k > 0; k--) {
            (void)scale_text(in);
            for (size_t j = scale_vec(in, 2); j > 0; j--) {
                (void)scale_text(in);
                (void)read_type_id(in);
            }
            (void)read_type_id(in);
            skip_texts(in);
        }
        skip_texts(in);
    }
}

static void skip_rest(const struct metadata *m, struct scale_in *in)
{
    (void)read_type_id(in); /* the runtime */
    if (m->version == 14) {
        return;
    }
    skip_apis(in);
    for (int i = 0; i < 3; i++) {
        (void)read_type_id(in); /* outer enums */
    }
    for (size_t i = scale_vec(in, 3); i > 0; i--) {
        (void)scale_text(in);
        (void)read_type_id(in);
        (void)scale_text(in);
    }
}

/* ---------------------------------------------------------------- opening */

/* Option and length of the runtime call around the metadata itself. */
static struct scale_in unwrapped(const void *bytes, size_t n)
{
    struct scale_in in = scale_in(bytes, n), whole = in;
    if (n > 0 && in.p[0] == 1) {
        (void)scale_u8(&in);
        struct sf_str inside = scale_text(&in);
        if (scale_is_done(&in)) {
            return scale_in(inside.p, inside.n);
        }
    }
    return whole;
}

static enum sf_err parse(struct metadata *m, struct sf_errbuf *eb)
{
    struct scale_in in = scale_in(m->bytes, m->n);
    const uint8_t *magic = scale_bytes(&in, 4);
    if (magic == NULL || memcmp(magic, "meta", 4) != 0) {
        return sf_fail(eb, SF_EPARSE, "what the node sent is no runtime metadata");
    }
    m->version = scale_u8(&in);
    if (m->version != 14 && m->version != 15) {
        return sf_fail(eb, SF_EPARSE,
                       "the runtime's metadata has version %u, this program reads 14 and 15: a "
                       "newer storyfi may be needed",
                       m->version);
    }
    static void (*const parts[])(struct metadata *, struct scale_in *) = {read_types, read_pallets,
                                                                          read_extrinsic};
    static const char *const names[] = {"types", "pallets", "transaction format", "end"};
    size_t part = 0;
    for (; part < 3 && !in.failed; part++) {
        parts[part](m, &in);
        if (m->types == NULL && !in.failed) {
            return SF_ENOMEM;
        }
        if (in.failed) {
            break;
        }
    }
    if (!in.failed) {
        skip_rest(m, &in);
    }
    return scale_is_done(&in)
               ? SF_OK
               : sf_fail(eb, SF_EPARSE, "the runtime's metadata is damaged (%s)", names[part]);
}

enum sf_err metadata_open(const void *bytes, size_t n, struct metadata **out, struct sf_errbuf *eb)
{
    struct scale_in in = unwrapped(bytes, n);
    if (in.n > METADATA_MAX_BYTES) {
        return sf_fail(eb, SF_ELIMIT, "the runtime's metadata has over %u bytes",
                       METADATA_MAX_BYTES);
    }
    struct metadata *m = sf_alloc(sizeof *m);
    if (m == NULL) {
        return SF_ENOMEM;
    }
    enum sf_err err = SF_ENOMEM;
    m->bytes = sf_alloc(in.n + 1);
    m->n = in.n;
    if (m->bytes != NULL) {
        memcpy(m->bytes, in.p, in.n);
        err = parse(m, eb);
    }
    if (err == SF_OK) {
        *out = m;
    } else {
        metadata_close(m);
    }
    return err;
}

void metadata_close(struct metadata *m)
{
    if (m != NULL) {
        free(m->bytes), m->bytes = NULL;
        free(m->types), m->types = NULL;
        free(m);
    }
}

unsigned metadata_version(const struct metadata *m)
{
    return m->version;
}

unsigned metadata_extrinsic_version(const struct metadata *m)
{
    return m->extrinsic_version;
}

/* ---------------------------------------------------------------- asking */

static const struct pallet *find_pallet(const struct metadata *m, const char *name)
{
    for (size_t i = 0; i < m->n_pallets; i++) {
        if (sf_str_is(m->pallets[i].name, name)) {
            return &m->pallets[i];
        }
    }
    return NULL;
}

/* The type's definition behind its tag; false when there is no such type or it has another tag. */
static bool open_def(const struct metadata *m, int64_t type, enum def_tag tag, struct scale_in *in)
{
    if (type < 0 || (size_t)type >= m->n_types) {
        return false;
    }
    *in = at(m, m->types[type].def);
    return scale_u8(in) == tag;
}

/* A variant of type `type` by its name, or by its index where `name` is NULL. */
static bool find_variant(const struct metadata *m, int64_t type, const char *name, uint8_t index,
                         struct variant *out)
{
    struct scale_in in;
    if (!open_def(m, type, VARIANT, &in)) {
        return false;
    }
    for (size_t i = scale_vec(&in, 4); i > 0; i--) {
        *out = read_variant(&in);
        if (name == NULL ? out->index == index : sf_str_is(out->name, name)) {
            return !in.failed;
        }
    }
    return false;
}

#define DEPTH_MAX 16

/* The one number, text or bool inside of wrappers ("NetUid(u16)"). */
static unsigned primitive_of(const struct metadata *m, uint32_t type, unsigned depth)
{
    struct scale_in in;
    if (open_def(m, type, PRIMITIVE, &in)) {
        return scale_u8(&in);
    }
    if (depth < DEPTH_MAX && open_def(m, type, COMPOSITE, &in) && scale_vec(&in, 4) == 1) {
        return primitive_of(m, read_field(&in).type, depth + 1);
    }
    return METADATA_OTHER;
}

bool metadata_call(const struct metadata *m, const char *pallet, const char *name,
                   struct metadata_call *out)
{
    const struct pallet *p = find_pallet(m, pallet);
    struct variant v;
    if (p == NULL || !find_variant(m, p->calls, name, 0, &v)) {
        return false;
    }
    *out = (struct metadata_call){.index = {p->index, v.index}};
    size_t n = scale_vec(&v.fields, 4);
    if (n > METADATA_FIELDS_MAX) {
        return false;
    }
    for (; out->n_fields < n; out->n_fields++) {
        struct field f = read_field(&v.fields);
        out->fields[out->n_fields].name = f.name;
        out->fields[out->n_fields].type = f.type;
        out->fields[out->n_fields].primitive = primitive_of(m, f.type, 0);
    }
    return true;
}

bool metadata_error(const struct metadata *m, uint8_t pallet, uint8_t error,
                    struct sf_str *pallet_name, struct sf_str *error_name)
{
    for (size_t i = 0; i < m->n_pallets; i++) {
        struct variant v;
        if (m->pallets[i].index == pallet) {
            *pallet_name = m->pallets[i].name;
            if (find_variant(m, m->pallets[i].errors, NULL, error, &v)) {
                *error_name = v.name;
                return true;
            }
        }
    }
    return false;
}

/* Whether every value of the type encodes to nothing. `budget` bounds types that name each other.
 */
static bool is_empty(const struct metadata *m, uint32_t type, unsigned depth, unsigned *budget)
{
    struct scale_in in;
    bool tuple = open_def(m, type, TUPLE, &in);
    if (depth > DEPTH_MAX || *budget == 0) {
        return false;
    }
    --*budget;
    if (!tuple && open_def(m, type, ARRAY, &in)) {
        uint32_t length = scale_u32(&in);
        return length == 0 || is_empty(m, read_type_id(&in), depth + 1, budget);
    }
    if (!tuple && !open_def(m, type, COMPOSITE, &in)) {
        return false;
    }
    for (size_t n = scale_vec(&in, tuple ? 1 : 4); n > 0; n--) {
        uint32_t part = tuple ? read_type_id(&in) : read_field(&in).type;
        if (!is_empty(m, part, depth + 1, budget)) {
            return false;
        }
    }
    return true;
}

size_t metadata_n_extensions(const struct metadata *m)
{
    return m->n_extensions;
}

struct metadata_extension metadata_extension(const struct metadata *m, size_t i)
{
    const struct extension *e = &m->extensions[i];
    unsigned budget = 256, budget_additional = 256;
    return (struct metadata_extension){.name = e->name,
                                       .extra_empty = is_empty(m, e->extra, 0, &budget),
                                       .additional_empty =
                                           is_empty(m, e->additional, 0, &budget_additional)};
}

/* ---------------------------------------------------------------- walking over values */

/* Types may name each other, and empty items take no input: both are bounded by a budget. */
#define VALUE_DEPTH_MAX 48
#define VALUE_BUDGET 2000000U

static void skip_value(const struct metadata *m, uint32_t type, unsigned depth, unsigned *budget,
                       struct scale_in *in);

static void skip_field_values(const struct metadata *m, struct scale_in fields, unsigned depth,
                              unsigned *budget, struct scale_in *in)
{
    for (size_t n = scale_vec(&fields, 4); n > 0 && !in->failed; n--) {
        skip_value(m, read_field(&fields).type, depth + 1, budget, in);
    }
}

static void skip_primitive(unsigned primitive, struct scale_in *in)
{
    static const uint8_t sizes[] = {1, 4, 0, 1, 2, 4, 8, 16, 32, 1, 2, 4, 8, 16, 32};
    if (primitive == METADATA_STR) {
        (void)scale_text(in);
    } else {
        (void)scale_bytes(in, sizes[primitive]);
    }
}

static void skip_many(const struct metadata *m, uint32_t type, size_t n, unsigned depth,
                      unsigned *budget, struct scale_in *in)
{
    for (; n > 0 && !in->failed; n--) {
        skip_value(m, type, depth + 1, budget, in);
    }
}

static void skip_value(const struct metadata *m, uint32_t type, unsigned depth, unsigned *budget,
                       struct scale_in *in)
{
    if (type >= m->n_types || depth > VALUE_DEPTH_MAX || *budget == 0) {
        scale_fail(in);
        return;
    }
    --*budget;
    struct scale_in def = at(m, m->types[type].def);
    struct variant v;
    uint32_t length;
    switch ((enum def_tag)scale_u8(&def)) {
    case COMPOSITE:
        skip_field_values(m, def, depth, budget, in);
        break;
    case VARIANT:
        if (find_variant(m, type, NULL, scale_u8(in), &v)) {
            skip_field_values(m, v.fields, depth, budget, in);
        } else {
            scale_fail(in);
        }
        break;
    case SEQUENCE:
        skip_many(m, read_type_id(&def), (size_t)scale_compact(in, UINT32_MAX), depth, budget, in);
        break;
    case ARRAY:
        length = scale_u32(&def);
        skip_many(m, read_type_id(&def), length, depth, budget, in);
        break;
    case TUPLE:
        for (size_t n = scale_vec(&def, 1); n > 0 && !in->failed; n--) {
            skip_value(m, read_type_id(&def), depth + 1, budget, in);
        }
        break;
    case PRIMITIVE:
        skip_primitive(scale_u8(&def), in);
        break;
    case COMPACT:
        (void)scale_compact_u128(in);
        break;
    case BITSEQUENCE:
        (void)scale_bytes(in, (size_t)(scale_compact(in, UINT32_MAX) + 7) / 8);
        break;
    }
}

bool metadata_event(const struct metadata *m, struct scale_in *in, struct sf_str *pallet,
                    struct sf_str *event, struct scale_in *fields)
{
    unsigned budget = VALUE_BUDGET;
    uint8_t pallet_index = scale_u8(in), event_index = scale_u8(in);
    struct variant v;
    for (size_t i = 0; i < m->n_pallets && !in->failed; i++) {
        const struct pallet *p = &m->pallets[i];
        if (p->index == pallet_index && find_variant(m, p->events, NULL, event_index, &v)) {
            *pallet = p->name;
            *event = v.name;
            *fields = *in;
            skip_field_values(m, v.fields, 0, &budget, in);
            return !in->failed;
        }
    }
    scale_fail(in);
    return false;
}
