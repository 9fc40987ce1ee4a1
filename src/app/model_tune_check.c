/* SPDX-License-Identifier: MIT */
#include "app/model_tune_check.h"

#include "app/model_pull.h"
#include "app/model_sizes.h"
#include "app/model_tune.h"
#include "app/model_tune_record.h"
#include "generator/machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPARE_BYTES (INT64_C(64) << 20)
#define QUANTIZING_CPU_PER_GB 14.0 /* seconds; 98 MB took 1.4 s of a core for each layout */

/* ---- layouts --------------------------------------------------------------------------------- */

static const struct {
    struct tune_layout layout;
    int bits;
} all[TUNE_ROWS - 1] = {
    {{"Q8_0", "Q8_0", NULL}, 8},
    {{"Q4_0", "Q4_0", NULL}, 4},
    {{"Q4_0, output Q4_0", "Q4_0", "Q4_0"}, 4},
    {{"Q4_K_M", "Q4_K_M", NULL}, 4},
};

/* "Q4_K_M" 4, "BF16" 16; 4 when it tells none. */
static uint64_t bits_of(struct sf_str type)
{
    uint64_t bits = 0;
    size_t n = 0;
    while (type.n > 0 && (type.p[0] < '0' || type.p[0] > '9')) {
        type = (struct sf_str){type.p + 1, type.n - 1};
    }
    while (n < type.n && type.p[n] >= '0' && type.p[n] <= '9') {
        n++;
    }
    return sf_scan_u64((struct sf_str){type.p, n}, 64, &bits) && bits > 0 ? bits : 4;
}

size_t tune_layouts(const char *file, struct tune_layout out[static TUNE_ROWS])
{
    struct sf_str type = pull_type_of(file);
    uint64_t bits = bits_of(type);
    size_t n = 1;
    out[0] = (struct tune_layout){"as it is", NULL, NULL};
    for (size_t i = 0; i < TUNE_ROWS - 1; i++) {
        bool same = all[i].layout.output_type == NULL && sf_str_is_nocase(type, all[i].layout.type);
        if (!same && (uint64_t)all[i].bits >= (bits < 8 ? bits : 8)) {
            out[n++] = all[i].layout;
        }
    }
    return n;
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void look_at_plan(const struct conf *conf, const struct model_place *place,
                         struct tune_facts *out)
{
    struct model_devices devices;
    struct model_sizes sizes;
    model_devices_read(conf, &devices);
    out->cpus = devices.cpus;
    bool made = model_sizes_make(conf, place, &devices, &sizes) == SF_OK;
    out->fits = made && sizes.fits && sizes.n_copies > 0;
    out->on_gpu = out->fits && sizes.copies[0].sizes[0].n_gpu_layers != 0 &&
                  strncmp(sizes.copies[0].sizes[0].text, "GPU", 3) == 0;
    (void)snprintf(out->plan, sizeof out->plan, "%.190s", made ? sizes.text : "out of memory");
    model_sizes_fini(&sizes);
}

/* The nearest folder of the path that is there can be written to. */
static bool can_make(const char *dir)
{
    char path[MODEL_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", dir);
    while (access(path, F_OK) != 0) {
        char *slash = strrchr(path, '/');
        if (slash == NULL || slash == path) {
            (void)snprintf(path, sizeof path, "%s", slash == NULL ? "." : "/");
            break;
        }
        *slash = '\0';
    }
    return access(path, W_OK | X_OK) == 0;
}

void tune_facts_read(const struct conf *conf, const char *name, struct tune_facts *out)
{
    struct model_place place;
    struct tune_record record;
    struct tune_layout layouts[TUNE_ROWS];
    struct stat st;
    char dir[MODEL_PATH_MAX];
    unsigned no, count;
    size_t stem;
    *out = (struct tune_facts){.limit_bytes = -1};
    model_find_original(conf, name, &place);
    (void)snprintf(out->original, sizeof out->original, "%s", place.path);
    model_tuned_path(conf, out->original, out->kept, sizeof out->kept);
    model_store_dir(conf, dir, sizeof dir);
    out->bytes = stat(out->original, &st) == 0 ? st.st_size : 0;
    if (out->bytes == 0) {
        return;
    }
    out->layouts = tune_layouts(out->original, layouts) - 1;
    out->is_split = model_split_name(model_base_name(out->original), &no, &count, &stem);
    /* Q8_0 of a 4-bit file is the largest, twice as much; the others are about as large as it. */
    out->written_bytes = out->bytes * (int64_t)(out->layouts + 1);
    out->room_bytes = machine_disk(dir);
    if (conf->generator.local.models_max_bytes > 0) {
        int64_t left = conf->generator.local.models_max_bytes - model_store_bytes(dir);
        out->limit_bytes = left > 0 ? left : 0;
    }
    out->can_write = can_make(dir);
    out->has_engine = access(place.engine_path, X_OK) == 0;
    if (tune_record_read(out->kept, out->original, &record)) {
        memcpy(out->known, record.kept, sizeof out->known);
        out->known_here = access(out->kept, R_OK) == 0;
    }
    look_at_plan(conf, &place, out);
}

/* ---- judging --------------------------------------------------------------------------------- */

bool tune_has_room(const struct tune_facts *f, char *why, size_t n)
{
    char need[MACHINE_SIZE_MAX], have[MACHINE_SIZE_MAX];
    bool on_disk = f->room_bytes < 0 || f->room_bytes >= f->written_bytes + SPARE_BYTES;
    bool allowed = f->limit_bytes < 0 || f->limit_bytes >= f->written_bytes;
    (void)snprintf(
        why, n, "it writes up to %s while it works, %s %s", machine_size(f->written_bytes, need),
        !on_disk ? "the disk of the models' folder has" : "generator.local.models_max_size leaves",
        machine_size(!on_disk ? f->room_bytes : f->limit_bytes, have));
    return on_disk && allowed;
}

/* Measuring takes half a minute where the model is quick, and minutes where it is not; so does
 * writing the file several times. */
static bool is_cheap(const struct tune_facts *f, char *why, size_t n)
{
    struct plan on_cpu = {.kind = PLAN_CPU};
    char size[MACHINE_SIZE_MAX];
    if (plan_is_quick(&on_cpu, f->bytes, f->cpus)) {
        return true;
    }
    (void)snprintf(why, n,
                   "%s on %d processor%s: it takes minutes (storyfi models tune does it all the "
                   "same)",
                   machine_size(f->bytes, size), f->cpus, f->cpus == 1 ? "" : "s");
    return false;
}

bool tune_is_sensible(const struct tune_facts *f, char *why, size_t n)
{
    const struct {
        bool stops;
        const char *why;
    } checks[] = {
        {f->bytes == 0, "no file of it is here (storyfi models pull it)"},
        {!f->has_engine, "no storyfi-engine here, which writes and measures"},
        {f->known[0] != '\0' && f->known_here, "tuned already"},
        {f->known[0] != '\0' && strcmp(f->known, "as it is") == 0,
         "measured before: it is fastest as it is"},
        {f->known[0] != '\0', "tuned before, and the file was removed (storyfi models tune makes "
                              "it again)"},
        {f->is_split, "it is in several files"},
        {f->layouts == 0, "there is no other layout to try"},
        {!f->fits, f->plan},
        {f->on_gpu, "it runs on a GPU, which reads all layouts fast"},
        {!f->can_write, "the models' folder cannot be written to (generator.local.models_dir)"},
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].stops) {
            (void)snprintf(why, n, "%s", checks[i].why);
            return false;
        }
    }
    return is_cheap(f, why, n) && tune_has_room(f, why, n);
}

void tune_cost_text(const struct tune_facts *f, char *out, size_t n)
{
    char size[MACHINE_SIZE_MAX];
    double writing = (double)f->bytes / 1e9 * QUANTIZING_CPU_PER_GB * (double)f->layouts /
                     (f->cpus > 0 ? f->cpus : 1);
    (void)snprintf(out, n, "writes up to %s, keeps one file at most; about %.0f s",
                   machine_size(f->written_bytes, size), TUNE_QUICK_MS / 1000.0 + writing);
}
