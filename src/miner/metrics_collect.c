/* SPDX-License-Identifier: MIT */
#include "miner/admin_metrics.h"

#include "app/model_devices.h"
#include "base/file.h"
#include "base/metric.h"
#include "journal/journal.h"
#include "miner/hop_state.h"
#include "miner/network.h"
#include "miner/tally.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define GPU_PAUSE_MS 10000
#define FDS_TRIED 8192

/* Once a scrape: looked up by name each time. */
static void gauge(const char *name, const char *labels, const char *help, double v)
{
    metric_set(metric_gauge(name, labels, help), v);
}

static void counter(const char *name, const char *labels, const char *help, double v)
{
    metric_set(metric_counter(name, labels, help), v);
}

/* ---- generators ------------------------------------------------------------------------------ */

/* "openai" of the account "openai api.example#1a2b"; a generator of one's own has none. */
static void label_provider(const struct gen_hop_status *s, char *labels, size_t room)
{
    char provider[32] = "";
    struct sf_str rest = sf_str(s->account), word;
    if (sf_str_next(&rest, ' ', &word)) {
        (void)snprintf(provider, sizeof provider, "%.*s", (int)(word.n < 31 ? word.n : 31), word.p);
    }
    const char *model = s->generator->target;
    const char *file = model[0] == '/' ? strrchr(model, '/') + 1 : model;
    metric_label(labels, room, "provider", provider);
    metric_label(labels, room, "model", file);
}

static void collect_use(const struct gen_hop_status *s, const char *own_labels)
{
    const struct gen_usage *u = &s->usage;
    const struct {
        const char *type;
        int64_t n;
    } kinds[] = {{"prompt", u->prompt_tokens},
                 {"cached", u->cached_tokens},
                 {"generated", u->generated_tokens}};
    char labels[768];
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        (void)snprintf(labels, sizeof labels, "%s", own_labels);
        label_provider(s, labels, sizeof labels);
        metric_label(labels, sizeof labels, "type", kinds[i].type);
        counter("storyfi_tokens_total", labels,
                "Tokens read, taken from a cache and written, by generator, provider and model.",
                (double)kinds[i].n);
    }
    (void)snprintf(labels, sizeof labels, "%s", own_labels);
    label_provider(s, labels, sizeof labels);
    counter("storyfi_cost_usd_total", labels,
            "US dollars spent, by the prices of the catalogue or api.price.", u->cost_usd);
    counter("storyfi_paid_requests_total", labels, "Requests sent to a provider for money.",
            (double)u->requests);
}

static void collect_generator(const struct gen_hop_status *s)
{
    char labels[512] = "";
    bool out = s->account_reason[0] != '\0';
    bool spent = strncmp(s->account_reason, "budget", 6) == 0;
    metric_label(labels, sizeof labels, "generator", s->generator->name);
    metric_label(labels, sizeof labels, "kind", s->generator->type->kind);
    gauge("storyfi_generator_ready", labels,
          "1: it could answer now. 0: down, starting, or its breaker or account is in the way.",
          s->can_answer);
    gauge("storyfi_generator_breaker_open", labels,
          "1: it failed too often and rests, or a rate limit benches it.", s->breaker_open);
    gauge("storyfi_generator_account_refused", labels,
          "1: its provider refuses the key or the account.", out && !spent);
    gauge("storyfi_generator_budget_spent", labels,
          "1: a limit of the owner's on requests or dollars is reached.", spent);
    if (s->success_share >= 0) {
        gauge("storyfi_generator_success_ratio", labels,
              "Share of its last 64 requests that it answered validly.", s->success_share);
    }
    collect_use(s, labels);
    tally_expect(s->generator);
}

static void collect_generators(struct app *app)
{
    static const char *const mine[] = {"storyfi_generator_ready",
                                       "storyfi_generator_breaker_open",
                                       "storyfi_generator_account_refused",
                                       "storyfi_generator_budget_spent",
                                       "storyfi_generator_success_ratio",
                                       "storyfi_tokens_total",
                                       "storyfi_cost_usd_total",
                                       "storyfi_paid_requests_total"};
    struct gen_hop_status status[GEN_CHAIN_MAX];
    size_t n = gen_chain_status(app_chain(app), status);
    bool any = false;
    for (size_t i = 0; i < sizeof mine / sizeof mine[0]; i++) {
        metric_hide(mine[i]); /* those that a reload took away */
    }
    for (size_t i = 0; i < n; i++) {
        any = any || status[i].can_answer;
        collect_generator(&status[i]);
    }
    gauge("storyfi_ready", "", "1: some generator could answer a validator now.", any);
}

/* ---- the door, the queue, the journal -------------------------------------------------------- */

static void collect_axon(struct axon *a)
{
    struct queue_counts q = queue_count(a->queue);
    struct callers_status c;
    callers_status(a->callers, &c);
    gauge("storyfi_queue_depth", "", "Requests that wait for a worker.", (double)q.depth);
    gauge("storyfi_queue_size", "", "Requests that may wait.", (double)q.size);
    gauge("storyfi_requests_in_flight", "", "Requests at work.", (double)q.in_flight);
    gauge("storyfi_callers_registered", "", "Hotkeys that may ask, by the last metagraph.",
          (double)c.registered);
}

static void collect_journal(struct app *app)
{
    struct journal *j = app_journal(app);
    struct journal_status s = {.writing = false};
    if (j != NULL) {
        journal_status(j, &s);
    }
    gauge("storyfi_journal_writing", "", "1: the journal can be written.", s.writing);
    gauge("storyfi_journal_waiting_rows", "", "Rows that wait for the disk.", (double)s.waiting);
    counter("storyfi_journal_written_rows_total", "", "Rows written.", (double)s.written);
    counter("storyfi_journal_dropped_rows_total", "",
            "Rows lost because the disk did not take them in time.", (double)s.dropped);
}

/* ---- the network ----------------------------------------------------------------------------- */

static void collect_graph(const struct network_facts *f)
{
    double age = sf_seconds(sf_between(f->graph_read_at, sf_now()));
    gauge("storyfi_metagraph_age_seconds", "", "Since the metagraph that is in use was read.", age);
    gauge("storyfi_metagraph_block", "", "The block that it is of.", (double)f->graph_block);
    gauge("storyfi_metagraph_neurons", "", "Neurons in it.", (double)f->neurons);
    gauge("storyfi_metagraph_last_sync_timestamp_seconds", "",
          "When it was read, in seconds since 1970.", (double)sf_wall_ns() / 1e9 - age);
}

static void collect_standing(const struct network_facts *f)
{
    const struct metagraph_standing *s = &f->standing;
    gauge("storyfi_stake_tao", "", "Own stake.", (double)f->stake_rao / 1e9);
    gauge("storyfi_emission_tao", "", "Own emission of the last epoch.",
          (double)s->emission_rao / 1e9);
    gauge("storyfi_incentive_ratio", "", "Own share of the incentive.",
          (double)s->incentive / 65535);
    gauge("storyfi_position", "", "Own place among the miners by incentive: 1 is the first.",
          (double)s->position);
    gauge("storyfi_miners", "", "Miners on the subnet.", (double)s->miners);
    gauge("storyfi_immune", "", "1: newly registered, cannot be pushed out yet.", s->immune);
    gauge("storyfi_immunity_left_blocks", "", "Blocks until it can.",
          (double)s->immunity_left_blocks);
}

static void collect_network(struct network *n)
{
    static const char *const standing[] = {"storyfi_stake_tao",
                                           "storyfi_emission_tao",
                                           "storyfi_incentive_ratio",
                                           "storyfi_position",
                                           "storyfi_miners",
                                           "storyfi_immune",
                                           "storyfi_immunity_left_blocks"};
    struct network_facts f;
    for (size_t i = 0; i < sizeof standing / sizeof standing[0]; i++) {
        metric_hide(standing[i]); /* until the metagraph has it */
    }
    gauge("storyfi_offline", "", "1: started without the chain (--offline).", n == NULL);
    if (n == NULL) {
        return;
    }
    network_read(n, &f);
    gauge("storyfi_chain_reached", "", "1: the last look at the chain worked.", f.reached);
    if (f.looked) {
        gauge("storyfi_chain_lag_seconds", "", "Since the chain was last seen.",
              sf_seconds(sf_between(f.looked_at, sf_now())));
        gauge("storyfi_chain_block", "", "The finalized block then.", (double)f.block);
        gauge("storyfi_registered", "", "1: the chain has the hotkey on the subnet.", f.registered);
        gauge("storyfi_announced", "", "1: the chain says where validators find this miner.",
              f.announced.ip_type != 0);
    }
    if (f.has_graph) {
        collect_graph(&f);
    }
    if (f.has_standing) {
        collect_standing(&f);
    }
}

/* ---- process and machine --------------------------------------------------------------------- */

/* The number behind a name in /proc/…: "VmRSS:   1234 kB"; 0 when it is not there. */
static double proc_number(const char *path, const char *name)
{
    struct sf_buf text;
    struct sf_str rest, line;
    uint64_t n = 0;
    sf_buf_init(&text, 65536);
    if (sf_file_read(path, &text, NULL) == SF_OK) {
        rest = sf_buf_str(&text);
        while (sf_str_next(&rest, '\n', &line)) {
            if (sf_str_has_prefix(line, name)) {
                struct sf_str value = {line.p + strlen(name), line.n - strlen(name)}, word;
                value = sf_str_trim(value);
                (void)(sf_str_next(&value, ' ', &word) && sf_scan_u64(word, UINT64_MAX, &n));
                break;
            }
        }
    }
    sf_buf_fini(&text);
    return (double)n;
}

/* While a secret is in memory /proc/self/fd is root's alone: then each number is tried. */
static double open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    double n = 0;
    if (d == NULL) {
        for (int fd = 0; fd < FDS_TRIED; fd++) {
            n += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
        }
        return n;
    }
    while (readdir(d) != NULL) {
        n++;
    }
    (void)closedir(d);
    return n - 3; /* ".", "..", and the folder itself */
}

static void collect_process(const struct admin *a)
{
    struct rusage u;
    struct rlimit files;
    if (getrusage(RUSAGE_SELF, &u) == 0) {
        counter("process_cpu_seconds_total", "", "Processor time of the miner, without children.",
                (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6 +
                    (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6);
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        gauge("process_max_fds", "", "Descriptors that may be open.", (double)files.rlim_cur);
    }
    gauge("process_open_fds", "", "Descriptors that are open.", open_descriptors());
    gauge("process_threads", "", "Threads.", proc_number("/proc/self/status", "Threads:"));
    gauge("process_resident_memory_bytes", "", "Resident memory of the miner, without children.",
          proc_number("/proc/self/status", "VmRSS:") * 1024);
    gauge("process_start_time_seconds", "", "When it was started, in seconds since 1970.",
          (double)a->started_wall_ns / 1e9);
    gauge("storyfi_memory_available_bytes", "", "Memory of the machine that is free.",
          proc_number("/proc/meminfo", "MemAvailable:") * 1024);
    gauge("storyfi_memory_bytes", "", "Memory of the machine.",
          proc_number("/proc/meminfo", "MemTotal:") * 1024);
}

static void collect_disk(const char *what, const char *path)
{
    struct statvfs fs;
    char labels[64] = "";
    if (path[0] == '\0' || statvfs(path, &fs) != 0) {
        return;
    }
    metric_label(labels, sizeof labels, "folder", what);
    gauge("storyfi_disk_free_bytes", labels, "Free for the miner on the disk of a folder of its.",
          (double)fs.f_bavail * (double)fs.f_frsize);
    gauge("storyfi_disk_bytes", labels, "Size of that disk.",
          (double)fs.f_blocks * (double)fs.f_frsize);
}

static void collect_build(const struct admin *a)
{
    char labels[256] = "";
    metric_label(labels, sizeof labels, "version", STORYFI_VERSION);
    metric_label(labels, sizeof labels, "compiler", __VERSION__);
    gauge("storyfi_build_info", labels, "1, with what is running.", 1);
    labels[0] = '\0';
    metric_label(labels, sizeof labels, "hotkey", a->axon->me.hotkey);
    (void)snprintf(labels + strlen(labels), sizeof labels - strlen(labels), ",netuid=\"%lld\"",
                   (long long)a->netuid);
    gauge("storyfi_miner_info", labels, "1, with who answers.", 1);
    if (a->certificate_ends > 0) {
        gauge("storyfi_admin_certificate_end_timestamp_seconds", "",
              "When the certificate of the admin listener ends, in seconds since 1970.",
              (double)a->certificate_ends);
    }
    gauge("storyfi_serving", "", "1: the axon's listener is open.", atomic_load(&a->serving));
}

/* Constant, so that a rule on it never looks at nothing. */
static void begin_counters(void)
{
    (void)metric_counter("storyfi_engine_restarts_total", "",
                         "Times an engine child was started again.");
}

void metrics_collect(struct admin *a)
{
    struct app *app = axon_take_app(a->axon);
    const struct conf *conf = app_conf(app);
    char *folder = sf_path_dir(conf->journal.path);
    begin_counters();
    tally_begin();
    collect_generators(app);
    collect_axon(a->axon);
    collect_journal(app);
    collect_network(a->network);
    collect_process(a);
    collect_disk("state", conf->state_dir);
    collect_disk("journal", folder == NULL ? "" : folder);
    collect_disk("models", conf->generator.local.models_dir);
    collect_build(a);
    free(folder);
    app_close(app);
}

void metrics_collect_gpus(const struct conf *conf)
{
    static struct sf_time again; /* locked by the caller */
    struct model_devices d;
    if (sf_until(again) > 0) {
        return;
    }
    model_devices_read(conf, &d);
    again = sf_after(sf_now(), GPU_PAUSE_MS);
    metric_hide("storyfi_gpu_memory_free_bytes");
    metric_hide("storyfi_gpu_memory_bytes");
    for (size_t i = 0; i < d.n; i++) {
        char labels[256] = "", number[24];
        if (d.v[i].gpu) {
            (void)snprintf(number, sizeof number, "%zu", i);
            metric_label(labels, sizeof labels, "gpu", number);
            metric_label(labels, sizeof labels, "name", d.v[i].name);
            gauge("storyfi_gpu_memory_free_bytes", labels, "Memory of a GPU that is free.",
                  (double)d.v[i].free_bytes);
            gauge("storyfi_gpu_memory_bytes", labels, "Memory of a GPU.",
                  (double)d.v[i].total_bytes);
        }
    }
}
