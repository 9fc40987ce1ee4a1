/* SPDX-License-Identifier: MIT */
#ifndef SF_BITTENSOR_METADATA_H
#define SF_BITTENSOR_METADATA_H

#include "base/buf.h"

/* The chain's own description of itself, versions 14 and 15: which number a call has, what an error
 * is called, what a transaction must be signed with. Immutable once open, so any thread may ask.
 * source: polkadot-sdk frame-metadata v14.rs, v15.rs; scale-info. */
struct metadata;

#define METADATA_MAX_BYTES (16U << 20)

/* Parses `n` bytes (copied), raw ("meta"…) or as the runtime call gives them (Option, length).
 * SF_EPARSE names the part that is wrong: every byte must be understood, and none be left over.
 * SF_ELIMIT over METADATA_MAX_BYTES, SF_ENOMEM. Caller closes *out. */
SF_MUST_USE enum sf_err metadata_open(const void *bytes, size_t n, struct metadata **out,
                                      struct sf_errbuf *eb);
void metadata_close(struct metadata *m);

unsigned metadata_version(const struct metadata *m);           /* 14 or 15 */
unsigned metadata_extrinsic_version(const struct metadata *m); /* 4 */

/* Strings are borrowed from `m`. */
enum metadata_primitive { /* as scale-info numbers them */
                          METADATA_BOOL,
                          METADATA_CHAR,
                          METADATA_STR,
                          METADATA_U8,
                          METADATA_U16,
                          METADATA_U32,
                          METADATA_U64,
                          METADATA_U128,
                          METADATA_U256,
                          METADATA_OTHER = 255, /* not one number, text or bool */
};
#define METADATA_FIELDS_MAX 16
struct metadata_call {
    uint8_t index[2]; /* of the pallet, of the call in it */
    size_t n_fields;
    struct {
        struct sf_str name;
        unsigned primitive; /* looked for inside of wrappers of one field */
        uint32_t type;
    } fields[METADATA_FIELDS_MAX];
};
/* False when there is no such call, or one with more fields than METADATA_FIELDS_MAX. */
bool metadata_call(const struct metadata *m, const char *pallet, const char *name,
                   struct metadata_call *out);

/* "SubtensorModule", "ServingRateLimitExceeded" for (7, 30); false when unknown. */
bool metadata_error(const struct metadata *m, uint8_t pallet, uint8_t error,
                    struct sf_str *pallet_name, struct sf_str *error_name);

/* Reads one event (its pallet's number, its own, its fields) as System.Events holds them.
 * `fields` begins at the first one. False when it is not understood; `in` has failed then. */
struct scale_in;
bool metadata_event(const struct metadata *m, struct scale_in *in, struct sf_str *pallet,
                    struct sf_str *event, struct scale_in *fields);

/* What a transaction carries and signs besides the call, in order. */
struct metadata_extension {
    struct sf_str name;
    bool extra_empty;      /* its part in the transaction takes no bytes whatever the value */
    bool additional_empty; /* so for what is only signed */
};
size_t metadata_n_extensions(const struct metadata *m);
struct metadata_extension metadata_extension(const struct metadata *m, size_t i);

#endif
