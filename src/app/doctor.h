/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_DOCTOR_H
#define SF_APP_DOCTOR_H

#include "conf/conf.h"
#include "generator/check.h"

#include <stdatomic.h>

/* `storyfi doctor`: what works on this machine and what does not, in words. */
struct doctor_line {
    char area[80]; /* "configuration" "machine" "wallet" "generator local" */
    struct gen_check check;
};

#define DOCTOR_LINES_MAX 400
struct doctor_report {
    struct doctor_line *list; /* owned */
    size_t n, room;
    char area[80]; /* of the lines that doctor_say adds */
    void (*on_line)(void *arg, const struct doctor_line *line); /* hears of each at once; or NULL */
    void *arg;
    const atomic_bool *cancel; /* looked at between generators; NULL never */
};
bool doctor_is_canceled(const struct doctor_report *r);
void doctor_fini(struct doctor_report *r);
/* Whether no line says that something cannot work. */
bool doctor_is_well(const struct doctor_report *r);

/* Copies the lines of `checks` behind the report's. Out of memory: they are left out. */
void doctor_add(struct doctor_report *r, const struct gen_checks *checks);
/* Names the area of what is added from now on. */
void doctor_area(struct doctor_report *r, const char *area);
/* One line more, as gen_checks_add. */
void doctor_say(struct doctor_report *r, enum gen_verdict verdict, const char *what,
                const char *remedy, const char *fmt, ...) SF_PRINTF(5, 6);

/* What `config check` finds. Unknown keys only warn, as for the miner. */
void doctor_configuration(struct doctor_report *r, const struct conf_diagnostics *found);

/* The miner of ours that answers on the admin port. */
struct doctor_miner {
    bool runs;
    int64_t pid, axon_port;
    json_t *status; /* as it said; owned */
};
void doctor_find_miner(const struct conf *conf, struct doctor_miner *out);
void doctor_miner_fini(struct doctor_miner *m);

/* Folders, disk, ports, limits of this process, clock; then the wallet. */
void doctor_machine(struct doctor_report *r, const struct conf *conf, const struct doctor_miner *m);
void doctor_wallet(struct doctor_report *r, const struct conf *conf);

/* Whether validators find this miner: what the chain says of it against what is here, and their way
 * to it tried from here. Asks the chain, the services of axon.external_ip_services, and the
 * announced address; blocks up to a minute. `unlock` as wallet_open_key. */
struct wallet_unlock;
void doctor_network(struct doctor_report *r, const struct conf *conf, const struct doctor_miner *m,
                    const struct wallet_unlock *unlock);

/* Each generator of the chain (or `only` this one) alone, by its kind's own check. A script is
 * really run; what a running miner has loaded already is not loaded again. SF_ECONFIG: `only`, mode
 * or fallback name nothing that exists. Blocks up to 30 s for each. */
SF_MUST_USE enum sf_err doctor_generators(struct doctor_report *r, const struct conf *conf,
                                          const char *only, const struct doctor_miner *m,
                                          struct sf_errbuf *eb);

#endif
