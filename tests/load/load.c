/* SPDX-License-Identifier: MIT */
/* usage: load hotkeys
 *        load run IP PORT HOTKEY SECONDS RATE HOSTILE_RATE CONNECTIONS [spread]
 * RATE 0 is as fast as the connections are answered. The first prints the callers' addresses, one a
 * line; the second one line of JSON. */
#include "load.h"

#include <string.h>

static const char *const kinds[LOAD_KINDS] = {"good",     "forged", "replay",
                                              "stranger", "slow",   "giant"};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const struct load_result *r, double q)
{
    size_t at = (size_t)(q * (double)r->n_latencies);
    return r->n_latencies == 0 ? 0 : r->latency_ms[at < r->n_latencies ? at : r->n_latencies - 1];
}

static void print_result(const struct load_result *r, double sign_seconds)
{
    qsort(r->latency_ms, r->n_latencies, sizeof *r->latency_ms, by_size);
    printf("{\"seconds\":%.3f,\"signed_in_seconds\":%.2f,\"rate\":%.1f,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"max_ms\":%.3f",
           r->took_seconds, sign_seconds,
           (double)r->tally[LOAD_GOOD].by_status[200] / r->took_seconds, quantile(r, 0.5),
           quantile(r, 0.99), quantile(r, 1));
    for (size_t k = 0; k < LOAD_KINDS; k++) {
        const struct load_tally *t = &r->tally[k];
        printf(",\"%s\":{\"sent\":%llu,\"closed\":%llu", kinds[k], (unsigned long long)t->sent,
               (unsigned long long)t->closed);
        for (size_t i = 0; i < LOAD_STATUSES; i++) {
            if (t->by_status[i] > 0) {
                printf(",\"%zu\":%llu", i, (unsigned long long)t->by_status[i]);
            }
        }
        printf("}");
    }
    printf("}\n");
}

/* How long signing will take, from a few: the shortest of three, the machine may be busy. */
static double seconds_to_sign(struct load_plan *p)
{
    enum { FEW = 4 };
    size_t tickets = p->tickets;
    double each = 1;
    p->tickets = FEW;
    for (int i = 0; i < 3; i++) {
        int64_t began = sf_now_ns();
        load_sign_all(p);
        double took = (double)(sf_now_ns() - began) / 1e9 / FEW;
        each = took < each ? took : each;
        load_forget_tickets(p);
    }
    p->tickets = tickets;
    return each * (double)tickets;
}

static bool read_plan(int argc, char **argv, struct load_plan *p)
{
    uint64_t port = 0, connections = 0;
    bool ok = argc >= 9 && sf_scan_u64(sf_str(argv[3]), 65535, &port) &&
              sf_scan_double(sf_str(argv[5]), &p->seconds) &&
              sf_scan_double(sf_str(argv[6]), &p->rate) &&
              sf_scan_double(sf_str(argv[7]), &p->hostile_rate) &&
              sf_scan_u64(sf_str(argv[8]), LOAD_KEYS, &connections) && connections > 0;
    if (ok) {
        p->ip = argv[2];
        p->hotkey = argv[4];
        p->port = (uint16_t)port;
        p->connections = (size_t)connections;
        p->spread = argc > 9 && strcmp(argv[9], "spread") == 0;
        double most = p->rate > 0 ? p->rate : 16000; /* nothing is faster than that here */
        p->tickets = (size_t)(most * p->seconds / (double)connections) + 2;
    }
    return ok;
}

static int run(struct load_plan *p)
{
    static const char fields[] = "{\"task_type\":\"blueprint\",\"user_input\":\"the sea\"}";
    struct sf_errbuf eb = {.code = SF_OK};
    struct load_result result;
    struct sf_buf body;
    json_t *input = NULL;
    struct synapse s = {.timeout_seconds = 60, .name = "StoryGenerationSynapse"};
    SF_BUG_ON(json_parse(sf_str(fields), JSON_LIMITS_DEFAULT, &input, &eb) != SF_OK);
    json_t *request = synapse_body_request(&s, input);
    sf_buf_init(&body, 65536);
    json_print(request, &body);
    p->body = sf_buf_str(&body);
    p->begin_ns = (uint64_t)sf_wall_ns();
    if (p->rate > 0) { /* nonces are of the moment that they are due: signing must be over then */
        double expected = seconds_to_sign(p) * 2 + 0.5;
        p->begin_ns = (uint64_t)sf_wall_ns() + (uint64_t)(expected * 1e9);
    }
    int64_t began = sf_now_ns();
    load_sign_all(p);
    double took = (double)(sf_now_ns() - began) / 1e9;
    if (p->rate > 0 && sf_wall_ns() > (int64_t)p->begin_ns) {
        (void)fputs("load: signing took too long, the machine is too busy\n", stderr);
        json_decref(request);
        sf_buf_fini(&body);
        return 111;
    }
    load_run(p, &result);
    print_result(&result, took);
    json_decref(request);
    sf_buf_fini(&body);
    free(result.latency_ms);
    return 0;
}

int main(int argc, char **argv)
{
    int code = 0;
    struct load_plan *p = sf_xalloc(sizeof *p);
    load_make_keys(p);
    if (argc == 2 && strcmp(argv[1], "hotkeys") == 0) {
        for (size_t i = 0; i < LOAD_KEYS; i++) {
            puts(p->callers[i].hotkey);
        }
    } else if (argc < 2 || strcmp(argv[1], "run") != 0 || !read_plan(argc, argv, p)) {
        (void)fputs("usage: load hotkeys | load run IP PORT HOTKEY SECONDS RATE HOSTILE_RATE "
                    "CONNECTIONS [spread]\n",
                    stderr);
        return 100;
    } else {
        code = run(p);
    }
    load_forget_tickets(p);
    free(p);
    return code;
}
