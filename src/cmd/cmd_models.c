/* SPDX-License-Identifier: MIT */
#include "app/gguf_head.h"
#include "app/model_pull.h"
#include "app/model_store.h"
#include "app/models.h"
#include "app/progress.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/models_import.h"
#include "cmd/models_show.h"
#include "cmd/models_tune.h"
#include "cmd/models_use.h"
#include "cmd/settings.h"
#include "generator/machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct arg_action actions[] = {
    {"list", "The models that are known, and the files that are here."},
    {"show", "What is known of one, and how it would run here."},
    {"pull", "Download: resumed, in parts side by side, checked."},
    {"verify", "Read files again and compare their checksums."},
    {"remove", "Delete a model's files from the models' folder."},
    {"recommend", "Which model fits this machine, as a table."},
    {"import", "Make a GGUF file of a Hugging Face model's weights."},
    {"tune", "Find the layout of the weights that this CPU reads fastest."},
    {"use", "Have the running miner change to another model."},
};
static const struct arg_option options[] = {
    {"--json", NULL, "Print JSON."},
    {"--quant", "TYPE",
     "4bit, 8bit, none or a GGUF type such as Q5_K_M; else the configuration's."},
    {"--any-version", NULL,
     "pull: take what the hub has now, though the checksum that is known is another."},
    {"--connections", "N", "pull: ranges loaded side by side (default 4)."},
    {"--attempts", "N", "pull: tries in a row without a new byte before it gives up (default 6)."},
    {"--converter", "FILE", "import: llama.cpp's convert_hf_to_gguf.py."},
    {"--python", "FILE", "import: the Python that runs it."},
    {"--no-tune", NULL, "pull: keep the file as it comes; see generator.local.auto_tune."},
    {"--rounds", "N", "tune: runs of each layout (default 3)."},
    {"--quick", NULL, "tune: half a minute, the slower layouts are dropped early."},
    {"--if-missing", NULL,
     "tune: as --quick, only where it is sensible and not done yet; else say why not."},
    {"--gpus", "SIZES", "recommend: judge for these cards instead, as 24GB,24GB, or none."},
};

const struct args_spec cmd_models_spec = {
    .name = "models",
    .synopsis = "list|show|pull|verify|remove|recommend|import|tune|use [NAME...] [--json]",
    .summary = "Find, download, check and choose models.",
    .details =
        "NAME is one of the list, auto (the best for this machine), owner/repository of the hub, "
        "owner/repository:FILE.gguf or :TYPE, or an address. Files go to "
        "generator.local.models_dir. HF_TOKEN is sent to the hub alone; HF_ENDPOINT names another.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .actions = actions,
    .n_actions = sizeof actions / sizeof actions[0],
    .max_words = ARGS_MAX - 1,
    .takes_settings = true,
};

static atomic_bool interrupted;

static void on_signal(int sig)
{
    (void)sig;
    atomic_store(&interrupted, true);
}

/* ---- pull ------------------------------------------------------------------------------------ */

struct show {
    struct progress bar; /* on a terminal */
    bool tune;           /* what was pulled */
    bool plain;          /* else lines */
    const char *file;
    size_t i, n;
    int last_tenth;
    enum fetch_phase last_phase;
};

static void left_text(double seconds, char out[static 32])
{
    if (seconds < 90) {
        (void)snprintf(out, 32, "%.0f s", seconds);
    } else if (seconds < 5400) {
        (void)snprintf(out, 32, "%.0f min", seconds / 60);
    } else {
        (void)snprintf(out, 32, "%.1f h", seconds / 3600);
    }
}

static void progress_text(const struct show *s, const struct fetch_progress *p, char *out, size_t n)
{
    static const char *const phases[] = {"asking for", "loading", "waiting for", "checking"};
    char done[MACHINE_SIZE_MAX], total[MACHINE_SIZE_MAX], rate[MACHINE_SIZE_MAX], left[32];
    int k = snprintf(out, n, "%s %.80s", phases[p->phase], s->file);
    if (k > 0 && (size_t)k < n && s->n > 1) {
        k += snprintf(out + k, n - (size_t)k, " (%zu of %zu)", s->i + 1, s->n);
    }
    if (k > 0 && (size_t)k < n && p->total > 0) {
        k += snprintf(out + k, n - (size_t)k, " %s of %s", machine_size(p->done, done),
                      machine_size(p->total, total));
    }
    if (k > 0 && (size_t)k < n && p->bytes_per_second > 0) {
        left_text((double)(p->total - p->done) / p->bytes_per_second, left);
        k += snprintf(out + k, n - (size_t)k, ", %s/s, %s left",
                      machine_size((int64_t)p->bytes_per_second, rate), left);
    }
    if (k > 0 && (size_t)k < n && p->why != NULL) {
        (void)snprintf(out + k, n - (size_t)k, ": %.160s", p->why);
    }
}

static void on_progress(void *arg, const struct fetch_progress *p)
{
    struct show *s = arg;
    char text[400];
    int permille = p->total > 0 ? (int)((double)p->done * 1000.0 / (double)p->total) : -1;
    progress_text(s, p, text, sizeof text);
    if (!s->plain) {
        progress_draw(&s->bar, permille, "%s", text);
        return;
    }
    bool news = p->phase != s->last_phase || (permille >= 0 && permille / 100 != s->last_tenth);
    if (news && p->phase != FETCH_ASKING) {
        s->last_tenth = permille / 100;
        s->last_phase = p->phase;
        fprintf(stderr, "%s\n", text);
    }
}

static void on_file(void *arg, const struct pull_file *file, size_t i, size_t n)
{
    struct show *s = arg;
    s->file = model_base_name(file->dest);
    s->i = i;
    s->n = n;
    s->last_tenth = -1;
    s->last_phase = FETCH_ASKING;
}

static json_t *result_json(const struct pull_result *r)
{
    return json_pack("{s:s, s:s, s:I, s:s, s:b, s:s}", "file", r->path, "state",
                     r->state == PULL_FETCHED ? "fetched" : "was there", "bytes",
                     (json_int_t)r->bytes, "sha256", r->sha256, "pinned", r->pinned, "from",
                     r->from);
}

static void print_result(const struct pull_file *f, const struct pull_result *r)
{
    char size[MACHINE_SIZE_MAX];
    if (r->state == PULL_WAS_THERE) {
        printf("%s: there\n", r->path);
    } else {
        printf("%s: %s from %s, %s%s\n", f->dest, machine_size(r->bytes, size), r->from,
               f->catalogued ? "checksum as in the catalogue" : "SHA-256 ",
               f->catalogued ? "" : r->sha256);
    }
    if (r->pinned) {
        puts("  its checksum is remembered (pins.json): another content under this name is refused "
             "from now on");
    }
}

static int pull_name(const struct conf *conf, const struct model_catalogue *c,
                     struct pull_options *o, json_t *list)
{
    struct pull_list files;
    struct sf_errbuf eb = {.code = SF_OK};
    struct show *s = o->arg;
    struct pull_result *results = sf_xalloc(PULL_MAX_FILES * sizeof *results);
    enum sf_err err = pull_resolve(conf, c, o, &files, &eb);
    if (err == SF_OK) {
        err = pull_run(conf, &files, o, results, &eb);
    }
    progress_clear(&s->bar);
    for (size_t i = 0; err == SF_OK && i < files.n; i++) {
        if (list != NULL) {
            (void)json_array_append_new(list, result_json(&results[i]));
        } else {
            print_result(&files.files[i], &results[i]);
        }
    }
    if (err == SF_OK && files.entry != NULL && list == NULL) {
        printf("model_name: \"%s\" (licence %s)\n", model_entry_alias(files.entry),
               files.entry->license);
    } else if (err != SF_OK) {
        fprintf(stderr, "storyfi models pull: %s\n", sf_err_text(&eb, err));
    }
    if (err == SF_OK && s->tune) { /* of several files the first part is the last */
        json_t *last = list == NULL ? NULL : json_array_get(list, json_array_size(list) - 1);
        models_tune_by_itself(conf, files.files[files.n - 1].dest, &interrupted, last);
    }
    pull_list_fini(&files);
    free(results);
    return err == SF_OK ? 0 : sf_err_info(err)->exit_code;
}

static int pull(const struct args *a, const struct conf *conf, const struct model_catalogue *c)
{
    struct show s = {.plain = !args_is_terminal(stderr), .tune = !args_has(a, "--no-tune")};
    struct pull_options o = {.quantization = args_get(a, "--quant"),
                             .any_version = args_has(a, "--any-version"),
                             .behaviour = fetch_want_default(),
                             .on_file = on_file,
                             .arg = &s};
    json_t *list = args_has(a, "--json") ? json_array() : NULL;
    int code = 0;
    if (a->n_words == 0) {
        fatal(100, "models pull: which one? (storyfi models recommend)");
    }
    progress_init(&s.bar, s.plain ? NULL : stderr);
    o.behaviour.connections = (size_t)args_int(a, "--connections", 4, 1, 16);
    o.behaviour.attempts = (int)args_int(a, "--attempts", o.behaviour.attempts, 1, 1000);
    o.behaviour.on_progress = on_progress;
    o.behaviour.arg = &s;
    o.behaviour.cancel = &interrupted;
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    for (size_t i = 0; i < a->n_words && code == 0; i++) {
        o.name = a->words[i];
        code = i > 0 && atomic_load(&interrupted) ? sf_err_info(SF_ECANCELED)->exit_code
                                                  : pull_name(conf, c, &o, list);
    }
    if (list != NULL) {
        models_print_json(list);
    }
    return code;
}

/* ---- verify ---------------------------------------------------------------------------------- */

struct verify {
    const struct model_catalogue *c;
    struct show show;
    const char *path;
    int64_t size;
    json_t *list; /* NULL: lines */
    bool bad;
};

static bool on_bytes(void *arg, int64_t done)
{
    struct verify *v = arg;
    struct fetch_progress p = {.phase = FETCH_CHECKING, .done = done, .total = v->size};
    on_progress(&v->show, &p);
    return !atomic_load(&interrupted);
}

/* What its checksum has to be: the catalogue's, else that of the stamp beside it; NULL unknown. */
static const char *expected(const struct verify *v, struct model_stamp *stamp)
{
    const struct model_entry *e = model_catalogue_find(v->c, v->path);
    for (size_t i = 0; e != NULL && i < e->n_files; i++) {
        const struct model_file *f = &e->files[i];
        if (f->sha256[0] != '\0' &&
            strcmp(model_base_name(f->file), model_base_name(v->path)) == 0) {
            return f->sha256;
        }
    }
    (void)model_stamp_read(v->path, stamp);
    return stamp->sha256[0] != '\0' ? stamp->sha256 : NULL;
}

static void say(struct verify *v, const char *verdict, const char *sha256, const char *text)
{
    progress_clear(&v->show.bar);
    if (v->list != NULL) {
        (void)json_array_append_new(v->list,
                                    json_pack("{s:s, s:s, s:s, s:s}", "file", v->path, "verdict",
                                              verdict, "sha256", sha256, "text", text));
    } else {
        printf("%-8s %s: %s\n", verdict, v->path, text);
    }
}

static void verify_file(struct verify *v, const char *path)
{
    struct gguf_head head;
    struct model_stamp stamp;
    struct sf_errbuf eb = {.code = SF_OK};
    struct stat st;
    char sha256[65] = "", text[700];
    v->path = path;
    v->size = stat(path, &st) == 0 ? st.st_size : 0;
    on_file(&v->show, &(struct pull_file){.bytes = 0}, 0, 1);
    v->show.file = model_base_name(path);
    enum sf_err err = gguf_head_read(path, &head, &eb);
    if (err == SF_OK) {
        err = model_hash_file(path, sha256, on_bytes, v, &eb);
    }
    const char *want = expected(v, &stamp);
    if (err != SF_OK) {
        v->bad = true;
        say(v, "broken", sha256, sf_err_text(&eb, err));
    } else if (want == NULL) {
        (void)snprintf(text, sizeof text, "no checksum is known; SHA-256 is %s", sha256);
        say(v, "unknown", sha256, text);
    } else if (strcmp(want, sha256) != 0) {
        v->bad = true;
        (void)snprintf(text, sizeof text,
                       "SHA-256 is %s, not %s: remove it (storyfi models remove) and pull it again",
                       sha256, want);
        say(v, "broken", sha256, text);
    } else {
        bool stamped = model_stamp_write(path, sha256, &eb) == SF_OK;
        (void)snprintf(text, sizeof text, "SHA-256 %s%s", sha256,
                       stamped ? "" : " (not writable: the result is not kept)");
        say(v, "ok", sha256, text);
    }
}

/* A path, a file of the folder, or a model's file wherever it is found. */
static void find_one(const struct conf *conf, const struct model_catalogue *c, const char *name,
                     char *out, size_t n)
{
    struct stat st;
    char dir[MODEL_PATH_MAX];
    const struct model_entry *e = model_catalogue_find(c, name);
    model_store_dir(conf, dir, sizeof dir);
    (void)snprintf(out, n, "%.1000s/%.255s", dir, name);
    if (stat(name, &st) == 0) {
        (void)snprintf(out, n, "%.1200s", name);
    } else if (stat(out, &st) != 0 && (e == NULL || !model_find_file(conf, e, out, n))) {
        fatal(100, "models: no file of \"%s\" is here (storyfi models list)", name);
    }
}

static int verify(const struct args *a, const struct conf *conf, const struct model_catalogue *c)
{
    struct verify v = {.c = c, .show = {.plain = true}};
    struct sf_errbuf eb = {.code = SF_OK};
    struct model_local *files = NULL;
    char path[1300], dir[MODEL_PATH_MAX];
    size_t n = 0;
    v.list = args_has(a, "--json") ? json_array() : NULL;
    v.show.plain = !args_is_terminal(stderr);
    v.show.last_tenth = -1;
    progress_init(&v.show.bar, v.show.plain ? NULL : stderr);
    model_store_dir(conf, dir, sizeof dir);
    for (size_t i = 0; i < a->n_words; i++) {
        find_one(conf, c, a->words[i], path, sizeof path);
        verify_file(&v, path);
    }
    if (a->n_words == 0 && model_store_list(dir, &files, &n, &eb) != SF_OK) {
        fatal(111, "%s", eb.text);
    }
    for (size_t i = 0; i < n; i++) {
        if (!files[i].partial) {
            (void)snprintf(path, sizeof path, "%.1000s/%.255s", dir, files[i].file);
            verify_file(&v, path);
        }
    }
    free(files);
    if (v.list != NULL) {
        models_print_json(v.list);
    } else if (a->n_words == 0 && n == 0) {
        printf("no models in %s\n", dir);
    }
    return v.bad ? 1 : 0;
}

/* ---- remove ---------------------------------------------------------------------------------- */

/* The file, what lies beside it, what is half loaded of it, and what was written from it in another
 * layout. The record of that stays when only the other layout is removed: nobody makes it again. */
static int remove_file(const char *dir, const char *file, json_t *list)
{
    static const struct {
        bool of_stem, counts;
        const char *end;
    } names[] = {{false, true, ""},           {false, false, ".verified"},
                 {false, true, ".part"},      {false, false, ".part.state"},
                 {true, true, ".tuned.gguf"}, {true, false, ".tuned.gguf.verified"},
                 {true, false, ".tuned.json"}};
    char path[1400];
    int removed = 0, length = (int)strlen(file);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int n = names[i].of_stem && length > 5 ? length - 5 : length; /* without ".gguf" */
        (void)snprintf(path, sizeof path, "%.1000s/%.*s%s", dir, n < 255 ? n : 255, file,
                       names[i].end);
        if (unlink(path) == 0) {
            removed += names[i].counts;
            if (list != NULL) {
                (void)json_array_append_new(list, json_string(path));
            } else if (names[i].counts) {
                printf("removed %s\n", path);
            }
        } else if (errno != ENOENT) {
            fatal(111, "%s: %s", path, strerrordesc_np(errno));
        }
    }
    return removed;
}

/* All parts when it is one of several. */
static int remove_parts(const char *dir, const char *file, json_t *list)
{
    unsigned no, count;
    size_t stem;
    char part[300];
    int removed = 0;
    if (!model_split_name(file, &no, &count, &stem) || count > PULL_MAX_FILES) {
        return remove_file(dir, file, list);
    }
    for (unsigned i = 1; i <= count; i++) {
        (void)snprintf(part, sizeof part, "%.*s-%05u-of-%05u.gguf", (int)(stem < 230 ? stem : 230),
                       file, i, count);
        removed += remove_file(dir, part, list);
    }
    return removed;
}

static int remove_models(const struct args *a, const struct conf *conf,
                         const struct model_catalogue *c)
{
    char dir[MODEL_PATH_MAX];
    json_t *list = args_has(a, "--json") ? json_array() : NULL;
    model_store_dir(conf, dir, sizeof dir);
    if (a->n_words == 0) {
        fatal(100, "models remove: which one? (storyfi models list)");
    }
    for (size_t i = 0; i < a->n_words; i++) {
        const char *name = a->words[i];
        bool is_file = model_is_file_name(name);
        const struct model_entry *e = is_file ? NULL : model_catalogue_find(c, name);
        int removed = is_file ? remove_parts(dir, name, list) : 0;
        for (size_t k = 0; e != NULL && k < e->n_files; k++) {
            removed += remove_parts(dir, model_base_name(e->files[k].file), list);
        }
        if (removed == 0) {
            fatal(100, "models remove: no file of \"%s\" is in %s (storyfi models list)", name,
                  dir);
        }
    }
    if (list != NULL) {
        models_print_json(list);
    }
    return 0;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* "pull: …" in an option's help: it is for that action alone. One that would change nothing is
 * told.
 */
static void check_options(const struct args *a)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        size_t n = strcspn(options[i].help, ":");
        bool given = args_has(a, options[i].name);
        bool ours = strncmp(options[i].help, a->action, n) == 0 && a->action[n] == '\0';
        for (size_t k = 0; given && !ours && k < sizeof actions / sizeof actions[0]; k++) {
            if (strncmp(actions[k].name, options[i].help, n) == 0 && actions[k].name[n] == '\0') {
                fatal(100, "models %s: %s is for models %s", a->action, options[i].name,
                      actions[k].name);
            }
        }
    }
    bool takes_none = strcmp(a->action, "list") == 0 || strcmp(a->action, "recommend") == 0;
    if (takes_none && a->n_words > 0) {
        fatal(100, "models %s: takes no name (storyfi models show %s)", a->action, a->words[0]);
    }
}

int cmd_models(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct args *a, const struct conf *conf, const struct model_catalogue *c);
    } runs[] = {
        {"list", models_list},     {"show", models_show},     {"pull", pull},
        {"verify", verify},        {"remove", remove_models}, {"recommend", models_recommend},
        {"import", models_import}, {"tune", models_tune},     {"use", models_use}};
    struct args a;
    struct model_catalogue c;
    int code = 100;
    args_parse(&a, &cmd_models_spec, argc, argv);
    check_options(&a);
    const struct conf *conf = settings_load(&a);
    if (model_catalogue_init(conf, &c) != SF_OK) {
        fatal(111, "out of memory");
    }
    if (c.problem[0] != '\0') {
        fprintf(stderr, "storyfi models: %s\n", c.problem);
    }
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        if (strcmp(a.action, runs[i].name) == 0) {
            code = runs[i].run(&a, conf, &c);
        }
    }
    model_catalogue_fini(&c);
    conf_unref(conf);
    args_fini(&a);
    return code;
}
