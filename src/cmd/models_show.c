/* SPDX-License-Identifier: MIT */
#include "cmd/models_show.h"

#include "app/gguf_head.h"
#include "app/model_devices.h"
#include "app/model_pick.h"
#include "app/model_sizes.h"
#include "app/model_store.h"
#include "app/models.h"
#include "app/speeds.h"
#include "base/log.h"
#include "base/mem.h"
#include "generator/machine.h"

#include <string.h>
#include <sys/stat.h>

void models_print_json(json_t *value_own)
{
    struct sf_buf b;
    sf_buf_init(&b, 16U << 20);
    json_print_pretty(value_own, &b);
    puts(sf_buf_z(&b));
    sf_buf_fini(&b);
    json_decref(value_own);
}

static const char *size_text(int64_t bytes, bool exact, char out[static 32])
{
    (void)snprintf(out, 32, "%s%.*f GB", exact ? "" : "~", bytes < 995000000 ? 2 : 1,
                   (double)bytes / 1e9);
    return bytes == 0 ? "?" : out;
}

static void print_languages(const struct model_entry *e)
{
    for (size_t i = 0; i < e->n_languages; i++) {
        printf("%s%s", i > 0 ? "," : "", e->languages[i]);
    }
}

/* ---- list ------------------------------------------------------------------------------------ */

struct shelf {
    const struct conf *conf;
    char dir[MODEL_PATH_MAX];
    struct model_local *files;
    size_t n;
};

static const struct model_local *on_shelf(const struct shelf *s, const char *file)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->files[i].file, model_base_name(file)) == 0) {
            return &s->files[i];
        }
    }
    return NULL;
}

static const char *state_of(const struct shelf *s, const struct model_entry *e)
{
    char path[MODEL_PATH_MAX], part[300];
    for (size_t i = 0; i < e->n_files; i++) {
        const struct model_local *f = on_shelf(s, e->files[i].file);
        (void)snprintf(part, sizeof part, "%.250s.part", model_base_name(e->files[i].file));
        if (f != NULL) {
            return f->verified ? "verified" : "here";
        }
        if (on_shelf(s, part) != NULL) {
            return "partial";
        }
    }
    return model_find_file(s->conf, e, path, sizeof path) ? "here" : "-";
}

static void print_shelf(const struct shelf *s, const struct model_catalogue *c)
{
    char have[MACHINE_SIZE_MAX], all[MACHINE_SIZE_MAX];
    printf("\nFiles in %s:\n", s->dir);
    for (size_t i = 0; i < s->n; i++) {
        const struct model_local *f = &s->files[i];
        const struct model_entry *e = model_catalogue_find(c, f->file);
        if (f->partial) {
            printf("  %-52s %s of %s, `storyfi models pull` goes on\n", f->file,
                   machine_size(f->bytes, have), machine_size(f->total, all));
        } else {
            printf("  %-52s %-8s %s%s%s\n", f->file, machine_size(f->bytes, have),
                   f->verified ? "verified" : "not checked", e == NULL ? "" : ", ",
                   e == NULL ? "" : model_entry_alias(e));
        }
    }
    if (s->n == 0) {
        puts("  none");
    }
}

static json_t *entry_json(const struct shelf *s, const struct model_entry *e)
{
    json_t *files = json_array(), *names = json_array(), *languages = json_array();
    for (size_t i = 0; i < e->n_names; i++) {
        (void)json_array_append_new(names, json_string(e->names[i]));
    }
    for (size_t i = 0; i < e->n_languages; i++) {
        (void)json_array_append_new(languages, json_string(e->languages[i]));
    }
    for (size_t i = 0; i < e->n_files; i++) {
        const struct model_file *f = &e->files[i];
        (void)json_array_append_new(files, json_pack("{s:s, s:s, s:I, s:s}", "quantization",
                                                     f->quant, "file", f->file, "bytes",
                                                     (json_int_t)f->bytes, "sha256", f->sha256));
    }
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:s, s:b, s:b, s:I, s:s, s:I, s:s}", "name",
                     e->names[0], "names", names, "repository", e->repo, "files", files,
                     "languages", languages, "license", e->license, "gated", e->gated, "instruct",
                     e->instruct, "context", (json_int_t)e->context_tokens, "template",
                     e->template_name, "quality", (json_int_t)e->quality, "state", state_of(s, e));
}

static json_t *list_json(const struct shelf *s, const struct model_catalogue *c)
{
    json_t *models = json_array(), *files = json_array();
    for (size_t i = 0; i < c->n; i++) {
        (void)json_array_append_new(models, entry_json(s, &c->v[i]));
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct model_local *f = &s->files[i];
        (void)json_array_append_new(
            files, json_pack("{s:s, s:I, s:b, s:b, s:I}", "file", f->file, "bytes",
                             (json_int_t)f->bytes, "verified", f->verified, "partial", f->partial,
                             "total", (json_int_t)(f->partial ? f->total : f->bytes)));
    }
    return json_pack("{s:s, s:o, s:o}", "dir", s->dir, "models", models, "files", files);
}

static void open_shelf(const struct conf *conf, struct shelf *s)
{
    struct sf_errbuf eb = {.code = SF_OK};
    *s = (struct shelf){.conf = conf};
    model_store_dir(conf, s->dir, sizeof s->dir);
    enum sf_err err = model_store_list(s->dir, &s->files, &s->n, &eb);
    if (err != SF_OK) {
        fatal(sf_err_info(err)->exit_code, "%s", sf_err_text(&eb, err));
    }
}

int models_list(const struct args *a, const struct conf *conf, const struct model_catalogue *c)
{
    struct shelf s;
    char size[32];
    open_shelf(conf, &s);
    if (args_has(a, "--json")) {
        models_print_json(list_json(&s, c));
        free(s.files);
        return 0;
    }
    printf("%-15s %-9s %-8s %-6s %-11s %s\n", "NAME", "STATE", "SIZE", "LANG", "LICENCE",
           "HUGGING FACE NAME");
    for (size_t i = 0; i < c->n; i++) {
        const struct model_entry *e = &c->v[i];
        bool exact = false;
        int64_t bytes = model_entry_bytes(e, e->files[0].quant, &exact);
        printf("%-15s %-9s %-8s ", model_entry_alias(e), state_of(&s, e),
               size_text(bytes, exact, size));
        print_languages(e);
        printf("%*s %-11s %s\n", (int)(6 - (e->n_languages * 3 - 1)), "", e->license, e->names[0]);
    }
    print_shelf(&s, c);
    free(s.files);
    return 0;
}

/* ---- show ------------------------------------------------------------------------------------ */

/* What the file itself says. */
static int show_file(const struct args *a, const struct conf *conf, const char *path)
{
    struct gguf_head h;
    struct sf_errbuf eb = {.code = SF_OK};
    struct model_devices d;
    struct plan plan;
    struct plan_model model;
    struct plan_wish wish = model_wish(&conf->generator.local);
    struct stat st;
    char size[MACHINE_SIZE_MAX];
    enum sf_err err = gguf_head_read(path, &h, &eb);
    if (err != SF_OK || stat(path, &st) != 0) {
        fatal(sf_err_info(err)->exit_code, "%s", sf_err_text(&eb, err));
    }
    model_devices_read(conf, &d);
    model_plan_of_head(&h, path, &model);
    plan_make(&model, &wish, d.v, d.n, &plan);
    if (args_has(a, "--json")) {
        models_print_json(json_pack(
            "{s:s, s:I, s:s, s:s, s:s, s:f, s:I, s:I, s:I, s:I, s:I, s:s}", "file", path, "bytes",
            (json_int_t)st.st_size, "architecture", h.architecture, "name", h.name, "license",
            h.license, "parameters", h.parameters, "layers", (json_int_t)h.layers, "context",
            (json_int_t)h.context_tokens, "experts", (json_int_t)h.experts, "kv_bytes_per_token",
            (json_int_t)gguf_head_kv_bytes(&h), "parts",
            (json_int_t)(h.split_count > 0 ? h.split_count : 1), "plan", plan.text));
        return 0;
    }
    printf("file          %s (%s)\n", path, machine_size(st.st_size, size));
    printf("model         %s (%s, %.2f billion parameters)\n", h.name, h.architecture,
           h.parameters / 1e9);
    printf("licence       %s\n", h.license[0] == '\0' ? "not in the file" : h.license);
    printf("layers        %lld%s\n", (long long)h.layers, h.experts > 0 ? " (experts)" : "");
    printf("context       %lld tokens, %lld bytes of keys and values each\n",
           (long long)h.context_tokens, (long long)gguf_head_kv_bytes(&h));
    printf("here          %s\n", plan.text);
    return 0;
}

static int show_entry(const struct args *a, const struct conf *conf, const struct model_entry *e)
{
    struct shelf s;
    struct model_devices d;
    struct model_pick p;
    struct plan_wish wish = model_wish(&conf->generator.local);
    char size[32];
    open_shelf(conf, &s);
    model_devices_read(conf, &d);
    model_pick_type(e, conf->generator.local.quantization, &wish,
                    &(struct model_machine){d.v, d.n, d.cpus}, &p);
    if (args_has(a, "--json")) {
        json_t *o = entry_json(&s, e);
        (void)json_object_set_new(o, "plan", json_string(p.plan.text));
        models_print_json(o);
        free(s.files);
        return 0;
    }
    printf("name          ");
    for (size_t i = 0; i < e->n_names; i++) {
        printf("%s%s", i > 0 ? ", " : "", e->names[i]);
    }
    printf("\nfrom          %s\n", e->repo[0] != '\0' ? e->repo : e->package);
    for (size_t i = 0; i < e->n_files; i++) {
        const struct model_file *f = &e->files[i];
        printf("%-13s %-7s %-8s %s\n", i == 0 ? "files" : "", f->quant,
               size_text(f->bytes > 0 ? f->bytes : f->about_bytes, f->bytes > 0, size), f->file);
    }
    printf("languages     ");
    print_languages(e);
    printf("\nlicence       %s%s\n", e->license, e->gated ? ", gated: needs HF_TOKEN" : "");
    printf("state         %s\n", state_of(&s, e));
    if (e->original_vram_gb > 0) {
        printf("the original  says %lld GB of GPU memory, %lld GB of memory, %lld GB of disk\n",
               (long long)e->original_vram_gb, (long long)e->original_ram_gb,
               (long long)e->original_disk_gb);
    }
    printf("here          %s: %s\n", p.quant, p.plan.text);
    free(s.files);
    return 0;
}

static const struct model_entry *best_here(const struct conf *conf, const struct model_catalogue *c)
{
    struct model_devices d;
    struct model_pick best;
    struct plan_wish wish = model_wish(&conf->generator.local);
    model_devices_read(conf, &d);
    struct model_machine m = {d.v, d.n, d.cpus};
    return model_pick_best(c, conf->generator.local.quantization, &wish, &m, NULL, &best)
               ? best.entry
               : NULL;
}

int models_show(const struct args *a, const struct conf *conf, const struct model_catalogue *c)
{
    const char *name = a->n_words > 0 ? a->words[0] : conf->generator.local.model_name;
    struct stat st;
    if (stat(name, &st) == 0 && S_ISREG(st.st_mode)) {
        return show_file(a, conf, name);
    }
    const struct model_entry *e =
        sf_str_is_nocase(sf_str(name), "auto") ? best_here(conf, c) : model_catalogue_find(c, name);
    char path[MODEL_PATH_MAX + 300], dir[MODEL_PATH_MAX];
    model_store_dir(conf, dir, sizeof dir);
    (void)snprintf(path, sizeof path, "%.1000s/%.255s", dir, model_base_name(name));
    if (e == NULL && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        return show_file(a, conf, path);
    }
    if (e == NULL) {
        const char *near = model_catalogue_nearest(c, name);
        fatal(100, "no model or file is called \"%s\"%s%s%s (storyfi models list)", name,
              near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
              near == NULL ? "" : "?");
    }
    return show_entry(a, conf, e);
}

/* ---- recommend ------------------------------------------------------------------------------- */

static const char *verdict(const struct model_pick *p)
{
    static const char *const words[] = {[PLAN_NONE] = "no",
                                        [PLAN_CPU] = "CPU, slow",
                                        [PLAN_GPU] = "yes",
                                        [PLAN_SPLIT] = "yes, split",
                                        [PLAN_PARTIAL] = "partly, slow"};
    return p->quick && p->plan.kind == PLAN_CPU ? "yes, CPU" : words[p->plan.kind];
}

static int by_quality(const void *a, const void *b)
{
    const struct model_pick *one = a, *two = b;
    return one->entry->quality < two->entry->quality   ? 1
           : one->entry->quality > two->entry->quality ? -1
                                                       : 0;
}

static void print_devices(const struct model_devices *d)
{
    char free_bytes[MACHINE_SIZE_MAX], total[MACHINE_SIZE_MAX];
    for (size_t i = 0; i < d->n; i++) {
        printf("%s%s: %s free", i > 0 ? "; " : "", d->v[i].name,
               machine_size(d->v[i].free_bytes, free_bytes));
        if (d->v[i].gpu) {
            printf(" of %s", machine_size(d->v[i].total_bytes, total));
        }
    }
    printf("; %d CPUs\n", d->cpus);
    if (d->problem[0] != '\0') {
        printf("GPUs not asked: %s\n", d->problem);
    }
}

/* What speaks for a pick's speed here. */
struct pace {
    struct speeds speeds;
    const struct model_catalogue *catalogue;
    bool pretended; /* the cards are not this machine's */
};

static struct speed_expected pace_of(const struct pace *pace, const struct model_pick *p)
{
    struct speed wanted = {.place = speed_place_of(p->plan.kind), .bytes = p->bytes};
    const struct model_file *f = model_entry_file(p->entry, p->quant);
    if (pace->pretended && wanted.place == SPEED_GPU) {
        wanted.place = SPEED_NOWHERE;
    }
    /* A type that the catalogue has no file of goes by the model's name: no file that has run. */
    (void)snprintf(wanted.file, sizeof wanted.file, "%.199s",
                   f != NULL ? model_base_name(f->file) : p->entry->names[0]);
    return speeds_expect(&pace->speeds, pace->catalogue, &wanted);
}

static const char *pace_text(const struct speed_expected *e, char out[static 24])
{
    double v = e->tokens_per_second;
    (void)snprintf(out, 24, "%s%.*f", e->source == SPEED_ESTIMATED ? "~" : "", v < 9.95 ? 1 : 0, v);
    return e->source == SPEED_UNKNOWN ? "-" : out;
}

/* Where the column's figures come from. */
static void print_pace(const struct pace *pace, const struct model_pick *all, size_t n)
{
    const struct speed *from = NULL;
    for (size_t i = 0; i < n && from == NULL; i++) {
        from = pace_of(pace, &all[i]).from;
    }
    if (from == NULL) {
        puts("\nTOKENS/S: no model to tell it by has run here yet: every answer measures, and "
             "storyfi bench");
        return;
    }
    puts("\nTOKENS/S: of whole answers. Without ~ measured here; with ~ estimated: what the "
         "measured model nearest in\nsize does, by the bytes that a token reads (up to 40 % too "
         "low where it was tried). Measured here:");
    for (size_t i = 0; i < pace->speeds.n; i++) {
        const struct speed *v = &pace->speeds.v[i];
        printf("  %s: %.1f on the %s\n", v->file, v->tokens_per_second,
               v->place == SPEED_CPU ? "CPU" : "GPU");
    }
}

static json_t *pick_json(const struct model_pick *p, const struct pace *pace, bool best)
{
    static const char *const sources[] = {[SPEED_UNKNOWN] = "unknown",
                                          [SPEED_MEASURED] = "measured",
                                          [SPEED_ESTIMATED] = "estimated"};
    const struct plan *plan = &p->plan;
    struct speed_expected e = pace_of(pace, p);
    json_t *speed = e.source == SPEED_UNKNOWN ? json_null() : json_real(e.tokens_per_second);
    return json_pack("{s:s, s:s, s:I, s:b, s:I, s:I, s:I, s:b, s:b, s:s, s:b, s:s, s:o, s:s}",
                     "name", p->entry->names[0], "quantization", p->quant, "bytes",
                     (json_int_t)p->bytes, "exact", p->exact, "needs_bytes",
                     (json_int_t)plan->needs_bytes, "context", (json_int_t)plan->context_tokens,
                     "sequences", (json_int_t)plan->sequences, "fits", plan->kind != PLAN_NONE,
                     "quick", p->quick, "verdict", verdict(p), "best", best, "plan", plan->text,
                     "tokens_per_second", speed, "tokens_per_second_is", sources[e.source]);
}

static void print_pick(const struct model_pick *p, const struct pace *pace, bool best)
{
    char size[32], needs[32], context[24] = "-", speed[24];
    struct speed_expected e = pace_of(pace, p);
    if (p->plan.context_tokens > 0) {
        (void)snprintf(context, sizeof context, "%lld", (long long)p->plan.context_tokens);
    }
    printf("%c %-15s %-7s %-8s %-8s %-8s %-12s %-8s %s\n", best ? '*' : ' ',
           model_entry_alias(p->entry), p->quant, size_text(p->bytes, p->exact, size),
           p->plan.needs_bytes > 0 ? size_text(p->plan.needs_bytes, true, needs) : "-", context,
           verdict(p), pace_text(&e, speed),
           p->plan.kind == PLAN_NONE && p->bytes > 0 ? p->plan.text : "");
}

static void read_devices(const struct args *a, const struct conf *conf, struct model_devices *d)
{
    struct sf_errbuf eb = {.code = SF_OK};
    const char *pretend = args_get(a, "--gpus");
    if (pretend == NULL) {
        model_devices_read(conf, d);
    } else if (model_devices_pretend(pretend, d, &eb) != SF_OK) {
        fatal(100, "--gpus %s", eb.text);
    }
}

/* One that nothing is known of would be judged as another. */
static void check_quant(const char *quant, const struct model_catalogue *c)
{
    bool known = model_quant_types(quant) != NULL || model_type_bits(quant) > 0;
    for (size_t i = 0; i < c->n && !known; i++) {
        known = model_entry_file(&c->v[i], quant) != NULL;
    }
    if (!known) {
        fatal(100,
              "models recommend: no size is known of a type \"%s\": 4bit, 8bit, none, or "
              "Q4_K_M, Q5_K_M, Q6_K, Q8_0 and the like",
              quant);
    }
}

int models_recommend(const struct args *a, const struct conf *conf, const struct model_catalogue *c)
{
    struct model_devices d;
    struct model_pick best, *all = sf_xalloc((c->n + 1) * sizeof *all);
    const char *quant = args_get(a, "--quant");
    struct plan_wish wish = model_wish(&conf->generator.local);
    quant = quant == NULL ? conf->generator.local.quantization : quant;
    check_quant(quant, c);
    read_devices(a, conf, &d);
    struct pace pace = {.catalogue = c, .pretended = args_has(a, "--gpus")};
    speeds_read(conf, &pace.speeds);
    struct model_machine m = {d.v, d.n, d.cpus};
    bool found = model_pick_best(c, quant, &wish, &m, NULL, &best);
    for (size_t i = 0; i < c->n; i++) {
        model_pick_type(&c->v[i], quant, &wish, &m, &all[i]);
    }
    qsort(all, c->n, sizeof *all, by_quality);
    json_t *list = args_has(a, "--json") ? json_array() : NULL;
    if (list == NULL) {
        print_devices(&d);
        printf("\n  %-15s %-7s %-8s %-8s %-8s %-12s %-8s\n", "MODEL", "TYPE", "FILE", "NEEDS",
               "CONTEXT", "FITS?", "TOKENS/S");
    }
    for (size_t i = 0; i < c->n; i++) {
        bool is_best = found && all[i].entry == best.entry;
        if (list != NULL) {
            (void)json_array_append_new(list, pick_json(&all[i], &pace, is_best));
        } else {
            print_pick(&all[i], &pace, is_best);
        }
    }
    if (list != NULL) {
        models_print_json(list);
        free(all);
        return 0;
    }
    print_pace(&pace, all, c->n);
    if (found) {
        char path[MODEL_PATH_MAX];
        bool here = model_find_file(conf, best.entry, path, sizeof path);
        printf("\n* %s: the best that runs quickly here. %s\n  %s%s%smodel_name: \"%s\"\n",
               best.entry->names[0], best.plan.text, here ? "It is here: " : "storyfi models pull ",
               here ? "" : model_entry_alias(best.entry), here ? "" : ", then ",
               model_entry_alias(best.entry));
    }
    free(all);
    return 0;
}
