/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_MODEL_HUB_H
#define SF_APP_MODEL_HUB_H

#include "conf/conf.h"
#include "http/client.h"

/* The Hugging Face hub, or a host that answers as it does. */
#define HUB_MAX_HOSTS 5
#define HUB_MAX_FILES 2000

struct hub {
    char hosts[HUB_MAX_HOSTS][256]; /* without a slash behind; the first is the owner's endpoint */
    size_t n;
    const char *token;         /* borrowed from the configuration; for hosts[0] alone; NULL none */
    const atomic_bool *cancel; /* may be NULL */
};
void hub_init(const struct conf *conf, struct hub *out);

struct hub_file {
    char path[256];
    int64_t bytes;
    char sha256[65]; /* "" when the hub does not say */
};
struct hub_files {
    struct hub_file *v;
    size_t n;
};

/* The GGUF files of a repository, from the first host that answers. SF_ENOTFOUND, SF_ECONFIG (needs
 * a token: the text has the steps), SF_ERATE, SF_ETRANSIENT, SF_EPARSE. Caller ends *out with
 * hub_files_fini in any case. Blocks up to 30 s a host, unless canceled (SF_ECANCELED). */
SF_MUST_USE enum sf_err hub_list(const struct hub *h, const char *repo, struct hub_files *out,
                                 struct sf_errbuf *eb);
/* The list from the answer's text; for tests and fuzzing. */
SF_MUST_USE enum sf_err hub_parse_list(struct sf_str text, struct hub_files *out,
                                       struct sf_errbuf *eb);
void hub_files_fini(struct hub_files *f);
/* What the *.safetensors files of a repository take together; 0: not known. Asks as hub_list does.
 */
int64_t hub_weight_bytes(const struct hub *h, const char *repo);

/* "<host>/<repo>/resolve/main/<file>", special characters written as %XX. */
void hub_url(const char *host, const char *repo, const char *file, struct sf_buf *out);

/* What a status other than success means for `what` ("owner/name"), with the remedy. `answer` for
 * its Retry-After; may be NULL. Never SF_OK. */
SF_MUST_USE enum sf_err hub_refusal(int status, const char *what, bool had_token,
                                    const struct http_answer *answer, struct sf_errbuf *eb);
/* Whether another host may do better where one failed so. */
bool hub_try_next(enum sf_err err);
/* "http://host:port" of both addresses is the same. */
bool hub_same_origin(const char *a, const char *b);

#endif
