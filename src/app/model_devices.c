/* SPDX-License-Identifier: MIT */
#include "app/model_devices.h"

#include "base/file.h"
#include "conf/environment.h"
#include "generator/machine.h"
#include "generator/script_process.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#define SMI_MS 10000
#define SMI_CAP 65536
#define MIB (INT64_C(1) << 20)
#define MAX_AMD_CARDS 32

/* ---- NVIDIA ---------------------------------------------------------------------------------- */

static bool scan_mib(struct sf_str s, int64_t *bytes)
{
    return sf_scan_i64(sf_str_trim(s), 0, 1 << 24, bytes) && (*bytes *= MIB) >= 0;
}

static bool scan_smi_line(struct sf_str line, struct plan_device *out)
{
    struct sf_str name, total, free_bytes, major;
    uint64_t a = 0, b = 0;
    if (!sf_str_next(&line, ',', &name) || !sf_str_next(&line, ',', &total) ||
        !sf_str_next(&line, ',', &free_bytes) || !scan_mib(total, &out->total_bytes) ||
        !scan_mib(free_bytes, &out->free_bytes)) {
        return false;
    }
    out->gpu = true;
    name = sf_str_trim(name);
    if (name.n == 0) {
        return false;
    }
    (void)snprintf(out->name, sizeof out->name, "%.*s",
                   (int)(name.n < sizeof out->name ? name.n : sizeof out->name - 1), name.p);
    line = sf_str_trim(line);
    if (sf_str_next(&line, '.', &major) && sf_scan_u64(major, 99, &a) &&
        sf_scan_u64(line, 99, &b)) {
        out->compute_major = (int)a;
        out->compute_minor = (int)b;
    }
    return true;
}

size_t model_devices_parse_smi(struct sf_str csv, struct plan_device *out, size_t max)
{
    size_t n = 0;
    struct sf_str line;
    while (n < max && sf_str_next(&csv, '\n', &line)) {
        struct plan_device d = {.gpu = true};
        if (scan_smi_line(line, &d)) {
            out[n++] = d;
        }
    }
    return n;
}

/* The program of that name in $PATH. */
static bool find_program(const struct conf *conf, const char *name, char *out, size_t n)
{
    struct sf_str rest = sf_str(conf_env(conf, "PATH")), dir;
    while (sf_str_next(&rest, ':', &dir)) {
        (void)snprintf(out, n, "%.*s/%s", SF_STR_ARG(dir), name);
        if (dir.n > 0 && dir.n < 900 && access(out, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

static void read_nvidia(const struct conf *conf, struct model_devices *out)
{
    static const char *const variables[] = {"PATH", "HOME", "LD_LIBRARY_PATH", "CUDA_*"};
    char program[1000];
    char query[] = "--query-gpu=name,memory.total,memory.free,compute_cap",
         format[] = "--format=csv,noheader,nounits";
    struct machine m;
    struct sf_errbuf eb = {.code = SF_OK};
    machine_read("", &m);
    if (!find_program(conf, "nvidia-smi", program, sizeof program)) {
        if (m.gpus > 0) {
            (void)snprintf(out->problem, sizeof out->problem,
                           "%d NVIDIA GPU(s), but no nvidia-smi in $PATH to ask for their memory",
                           m.gpus);
        }
        return;
    }
    char *const argv[] = {program, query, format, NULL};
    char **environment = conf_environment_pick(variables, 4, NULL);
    struct script_run run = {
        .argv = argv, .environment = environment, .deadline = sf_after(sf_now(), SMI_MS)};
    script_run_init(&run, SMI_CAP);
    enum sf_err err = environment == NULL ? SF_ENOMEM : script_run(&run, &eb);
    if (err == SF_OK && run.exit_status == 0) {
        out->n += model_devices_parse_smi(sf_buf_str(&run.output), out->v + out->n,
                                          PLAN_MAX_DEVICES - 1 - out->n);
    } else {
        struct sf_str said = sf_str_trim(sf_buf_str(&run.stderr_tail));
        said = said.n > 0 ? said : sf_str_trim(sf_buf_str(&run.output));
        (void)snprintf(out->problem, sizeof out->problem, "%.60s: %.*s", program,
                       (int)(said.n < 120 ? said.n : 120), said.p);
    }
    script_run_fini(&run);
    conf_environment_free(environment);
}

/* ---- AMD, memory ----------------------------------------------------------------------------- */

static int64_t number_in(const char *root, int card, const char *file)
{
    char path[512];
    struct sf_buf b;
    int64_t v = -1;
    sf_buf_init(&b, 64);
    (void)snprintf(path, sizeof path, "%.300s/sys/class/drm/card%d/device/%s", root, card, file);
    if (sf_file_read(path, &b, NULL) != SF_OK ||
        !sf_scan_i64(sf_str_trim(sf_buf_str(&b)), 0, INT64_MAX, &v)) {
        v = -1;
    }
    sf_buf_fini(&b);
    return v;
}

size_t model_devices_read_amd(const char *root, struct plan_device *out, size_t max)
{
    size_t n = 0;
    for (int card = 0; card < MAX_AMD_CARDS && n < max; card++) {
        int64_t total = number_in(root, card, "mem_info_vram_total");
        int64_t used = number_in(root, card, "mem_info_vram_used");
        if (total > 0 && used >= 0 && used <= total) {
            out[n] =
                (struct plan_device){.gpu = true, .total_bytes = total, .free_bytes = total - used};
            (void)snprintf(out[n].name, sizeof out[n].name, "AMD card%d", card);
            n++;
        }
    }
    return n;
}

static void read_memory(struct model_devices *out)
{
    struct machine m;
    cpu_set_t set;
    machine_read("", &m);
    int64_t bytes = machine_memory(&m);
    out->v[out->n] = (struct plan_device){.free_bytes = bytes > 0 ? bytes : 0,
                                          .total_bytes = bytes > 0 ? bytes : 0};
    (void)snprintf(out->v[out->n].name, sizeof out->v[out->n].name, "memory");
    out->n++;
    out->cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

void model_devices_read(const struct conf *conf, struct model_devices *out)
{
    *out = (struct model_devices){.n = 0};
    read_nvidia(conf, out);
    out->n += model_devices_read_amd("", out->v + out->n, PLAN_MAX_DEVICES - 1 - out->n);
    read_memory(out);
}

/* ---- what if --------------------------------------------------------------------------------- */

/* "24GB", "24": cards are sold in binary gigabytes and keep a part for themselves. */
static bool scan_card(struct sf_str s, int64_t *bytes)
{
    double gb = 0;
    s = sf_str_trim(s);
    if (s.n > 2 && strncasecmp(s.p + s.n - 2, "GB", 2) == 0) {
        s.n -= 2;
    }
    if (!sf_scan_double(sf_str_trim(s), &gb) || !(gb > 0) || gb > 4096) {
        return false;
    }
    *bytes = (int64_t)(gb * 1024) * MIB;
    return true;
}

enum sf_err model_devices_pretend(const char *sizes, struct model_devices *out,
                                  struct sf_errbuf *eb)
{
    struct sf_str rest = sf_str(sizes), one;
    *out = (struct model_devices){.n = 0};
    if (strcmp(sizes, "none") == 0) {
        rest.n = 0;
    }
    while (sf_str_next(&rest, ',', &one)) {
        int64_t bytes = 0;
        if (!scan_card(one, &bytes) || out->n + 1 >= PLAN_MAX_DEVICES) {
            return sf_fail(eb, SF_EINVAL,
                           "\"%.60s\" is no list of cards: write it as 24GB,24GB, or none", sizes);
        }
        out->v[out->n] = (struct plan_device){
            .gpu = true, .total_bytes = bytes, .free_bytes = bytes - bytes / 32};
        (void)snprintf(out->v[out->n].name, sizeof out->v[out->n].name, "a %.*s card",
                       (int)(one.n < 20 ? one.n : 20), one.p);
        out->n++;
    }
    read_memory(out);
    return SF_OK;
}
