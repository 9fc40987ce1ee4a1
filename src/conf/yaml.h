/* SPDX-License-Identifier: MIT */
#ifndef SF_CONF_YAML_H
#define SF_CONF_YAML_H

#include "json/json.h"

struct yaml_limits {
    size_t max_bytes;
    unsigned max_depth;
    size_t max_nodes;
};
#define YAML_LIMITS_DEFAULT                                                                        \
    ((struct yaml_limits){.max_bytes = 1U << 20, .max_depth = 16, .max_nodes = 20000})

enum yaml_kind { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_STRING, YAML_LIST, YAML_MAP };

/* A node of a YAML document. Scalars keep their text as written; `kind` says what an unquoted one
 * means (YAML 1.1 as PyYAML reads it: yes/no/on/off are booleans). */
struct yaml_node {
    enum yaml_kind kind;
    bool quoted;
    unsigned line;           /* from 1 */
    char *text;              /* scalars; NUL-terminated, no NUL inside */
    char *key;               /* of a member of a map */
    struct yaml_node *child; /* first of a list or map */
    struct yaml_node *next;
};

/* Parses one document. An empty one gives *out = NULL with SF_OK. Refuses with SF_EPARSE ("line N:
 * …"): malformed YAML, not UTF-8, aliases, tags other than the standard scalar ones, keys that are
 * not scalars, NUL in a string, a second document; with SF_ELIMIT over the limits. Caller frees
 * *out. */
SF_MUST_USE enum sf_err sf_yaml_parse(struct sf_str text, struct yaml_limits limits,
                                      struct yaml_node **out, struct sf_errbuf *eb);
void sf_yaml_free(struct yaml_node *node);

/* The same as JSON values; a repeated key is SF_EPARSE, an empty document JSON null. Caller owns.
 */
SF_MUST_USE enum sf_err sf_yaml_to_json(struct sf_str text, struct yaml_limits limits, json_t **out,
                                        struct sf_errbuf *eb);

#endif
