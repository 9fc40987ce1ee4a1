/* SPDX-License-Identifier: MIT */
#include "app/model_import.h"

#include "app/gguf_head.h"
#include "app/model_catalogue.h"
#include "app/model_fetch.h"
#include "app/model_hub.h"
#include "app/model_pull.h"
#include "app/model_store.h"
#include "app/models.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/environment.h"
#include "engine/engine_quantize.h"
#include "engine/protocol.h"
#include "generator/machine.h"
#include "generator/script_process.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONVERT_MS (INT64_C(24) * 3600000)
#define OUTPUT_CAP (1U << 20)

static const char *const variables[] = {"PATH", "HOME", "LANG", "TMPDIR", "HF_HOME", "HF_ENDPOINT"};

struct import {
    const struct conf *conf;
    const struct import_order *o;
    struct import_result *out;
    struct sf_errbuf *eb;
    char python[MODEL_PATH_MAX], converter[MODEL_PATH_MAX];
    char dir[MODEL_PATH_MAX];
    char source[MODEL_PATH_MAX]; /* folder or file; "" it is read from the hub */
    char stem[160];
    char half[MODEL_PATH_MAX + 200]; /* 16 bits, on the way */
    char type[32];
    bool is_gguf;
};

static bool is_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static void tell(const struct import *im, const char *what, int permille)
{
    if (im->o->on_stage != NULL) {
        im->o->on_stage(im->o->arg, what, permille);
    }
}

/* ---- the source ------------------------------------------------------------------------------ */

static bool has_config(const char *dir)
{
    char path[MODEL_PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/config.json", dir);
    return is_there(path);
}

/* The last part of a name or path, without ".gguf" and the type in front of it. */
static void take_stem(struct import *im)
{
    size_t n = strlen(im->o->source);
    while (n > 1 && im->o->source[n - 1] == '/') {
        n--;
    }
    size_t at = n;
    while (at > 0 && im->o->source[at - 1] != '/') {
        at--;
    }
    if (im->is_gguf) {
        struct sf_str type = pull_type_of(im->o->source);
        n -= strlen(".gguf");
        n -= type.n > 0 && n > at + type.n + 1 ? type.n + 1 : 0;
    }
    (void)snprintf(im->stem, sizeof im->stem, "%.*s", (int)(n - at < 150 ? n - at : 150),
                   im->o->source + at);
}

static enum sf_err find_source(struct import *im)
{
    struct stat st;
    const char *source = im->o->source;
    size_t n = strlen(source);
    im->is_gguf = n > 5 && strcmp(source + n - 5, ".gguf") == 0;
    take_stem(im);
    if (stat(source, &st) == 0) {
        if (!im->is_gguf && !(S_ISDIR(st.st_mode) && has_config(source))) {
            return sf_fail(im->eb, SF_EINVAL,
                           "%.200s holds no config.json: name the folder of a Hugging Face model "
                           "(config.json, tokenizer, *.safetensors), or a .gguf file",
                           source);
        }
        char *whole = realpath(source, NULL);
        (void)snprintf(im->source, sizeof im->source, "%.1000s", whole == NULL ? source : whole);
        free(whole);
        return SF_OK;
    }
    if (im->is_gguf || !model_is_repo(sf_str(source))) {
        return sf_fail(im->eb, SF_ENOTFOUND,
                       "no folder \"%.200s\" is here, and it is no owner/repository of the hub",
                       source);
    }
    if (model_find_snapshot(im->conf, source, im->source, sizeof im->source) &&
        has_config(im->source)) {
        return SF_OK;
    }
    im->source[0] = '\0';
    return SF_OK;
}

/* ---- converting ------------------------------------------------------------------------------ */

static enum sf_err find_converter(struct import *im)
{
    model_cache_path(im->conf, "convert/venv/bin/python", im->python, sizeof im->python);
    model_cache_path(im->conf, "convert/llama.cpp/convert_hf_to_gguf.py", im->converter,
                     sizeof im->converter);
    if (im->o->python != NULL) {
        (void)snprintf(im->python, sizeof im->python, "%.1000s", im->o->python);
    }
    if (im->o->converter != NULL) {
        (void)snprintf(im->converter, sizeof im->converter, "%.1000s", im->o->converter);
    }
    const char *missing = !is_there(im->converter)        ? im->converter
                          : access(im->python, X_OK) != 0 ? im->python
                                                          : NULL;
    if (missing == NULL) {
        return SF_OK;
    }
    return sf_fail(im->eb, SF_ECONFIG,
                   "%.300s is not there: make setup CONVERT=1 brings llama.cpp's converter and a "
                   "Python environment for it (some 2 GB), or name yours: --converter "
                   "convert_hf_to_gguf.py --python PYTHON with torch, transformers, "
                   "sentencepiece and numpy",
                   missing);
}

static void on_converting(void *arg, size_t bytes)
{
    (void)bytes;
    tell(arg, "converting", -1);
}

static enum sf_err convert(struct import *im)
{
    char outfile[] = "--outfile", outtype[] = "--outtype", f16[] = "f16", remote[] = "--remote";
    char repo[200];
    bool from_hub = im->source[0] == '\0';
    (void)snprintf(repo, sizeof repo, "%.199s", im->o->source);
    char *argv[] = {im->python, im->converter, from_hub ? repo : im->source, outfile, im->half,
                    outtype,    f16,           from_hub ? remote : NULL,     NULL};
    const char *token = from_hub ? conf_secret(im->conf, "HF_TOKEN") : NULL;
    struct conf_pair pair = {"HF_TOKEN", token};
    struct conf_pairs extra = {.v = &pair, .n = token == NULL ? 0 : 1};
    char **environment =
        conf_environment_pick(variables, sizeof variables / sizeof variables[0], &extra);
    struct script_run run = {.argv = argv,
                             .environment = environment,
                             .deadline = sf_after(sf_now(), CONVERT_MS),
                             .cancel = im->o->cancel,
                             .on_progress = on_converting,
                             .progress_arg = im};
    script_run_init(&run, OUTPUT_CAP);
    enum sf_err err = environment == NULL ? SF_ENOMEM : script_run(&run, im->eb);
    if (err == SF_OK && (run.exit_status != 0 || run.signal != 0)) {
        struct sf_str said = sf_str_trim(sf_buf_str(&run.stderr_tail));
        size_t most = said.n < 150 ? said.n : 150;
        err = sf_fail(im->eb, SF_EUNAVAILABLE, "the converter ended with %s %d: …%.*s",
                      run.signal != 0 ? "signal" : "exit status",
                      run.signal != 0 ? run.signal : run.exit_status, (int)most,
                      said.p + said.n - most);
    }
    script_run_fini(&run);
    conf_environment_free(environment);
    return err;
}

/* ---- quantizing and placing ------------------------------------------------------------------ */

static void on_quantizing(void *arg, int permille)
{
    tell(arg, "quantizing", permille);
}

static enum sf_err quantize(struct import *im, const char *input, const char *output)
{
    struct model_place place;
    model_find_programs(im->conf, &place);
    char **environment =
        conf_environment_pick(variables, sizeof variables / sizeof variables[0], NULL);
    struct engine_quantize_order order = {.engine_path = place.engine_path,
                                          .lib_dir = place.lib_dir,
                                          .environment = (const char *const *)environment,
                                          .input = input,
                                          .output = output,
                                          .type = im->type,
                                          .on_progress = on_quantizing,
                                          .arg = im,
                                          .cancel = im->o->cancel};
    enum sf_err err = environment == NULL ? SF_ENOMEM : engine_quantize(&order, im->eb);
    conf_environment_free(environment);
    return err;
}

static bool on_hashing(void *arg, int64_t done)
{
    struct import *im = arg;
    (void)done;
    tell(im, "checking", -1);
    return im->o->cancel == NULL || !atomic_load(im->o->cancel);
}

/* Looks at what was made; then it gets its name. */
static enum sf_err place(struct import *im, const char *made)
{
    struct gguf_head head;
    struct stat st;
    enum sf_err err = gguf_head_read(made, &head, im->eb);
    if (err == SF_OK) {
        err = model_hash_file(made, im->out->sha256, on_hashing, im, im->eb);
    }
    if (err == SF_OK && rename(made, im->out->path) != 0) {
        err = sf_fail_errno(im->eb, SF_EIO, "%.200s", im->out->path);
    }
    if (err == SF_OK) {
        im->out->bytes = stat(im->out->path, &st) == 0 ? st.st_size : 0;
        err = model_stamp_write(im->out->path, im->out->sha256, im->eb);
    }
    return err;
}

/* ---- room on the disk ------------------------------------------------------------------------ */

static bool is_weights(const char *name)
{
    size_t n = strlen(name);
    return n > 12 && strcmp(name + n - 12, ".safetensors") == 0;
}

/* A file, or the weights in a folder; all of the folder when none are named as weights are. */
static int64_t bytes_in(const char *path)
{
    struct stat st;
    int64_t weights = 0, all = 0;
    const struct dirent *e;
    DIR *d = opendir(path);
    if (d == NULL) {
        return stat(path, &st) == 0 ? st.st_size : 0;
    }
    while ((e = readdir(d)) != NULL) {
        char file[MODEL_PATH_MAX + 300];
        (void)snprintf(file, sizeof file, "%.1000s/%.255s", path, e->d_name);
        int64_t bytes = stat(file, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
        all += bytes;
        weights += is_weights(e->d_name) ? bytes : 0;
    }
    (void)closedir(d);
    return weights > 0 ? weights : all;
}

/* What is written while a file of `type` is made of so many bytes, whose own type is `from` (NULL:
 * weights as they are trained, once more in 16 bits on the way). */
static int64_t room_for(int64_t bytes, const char *from, const char *type)
{
    double to_bits = model_type_bits(type), from_bits = from == NULL ? 16 : model_type_bits(from);
    double made =
        to_bits > 0 && from_bits > 0 ? (double)bytes * to_bits / from_bits : (double)bytes;
    return from != NULL ? (int64_t)made : strcmp(type, "F16") == 0 ? bytes : bytes + (int64_t)made;
}

static int64_t source_bytes(const struct import *im)
{
    struct hub hub;
    if (im->source[0] != '\0') {
        return bytes_in(im->source);
    }
    hub_init(im->conf, &hub);
    hub.cancel = im->o->cancel;
    return hub_weight_bytes(&hub, im->o->source);
}

/* Before anything is written; a source whose size nobody tells is tried. */
static enum sf_err check_room(struct import *im)
{
    char want[MACHINE_SIZE_MAX], have[MACHINE_SIZE_MAX], from[32] = "";
    struct sf_str type = im->is_gguf ? pull_type_of(im->source) : (struct sf_str){"", 0};
    (void)snprintf(from, sizeof from, "%.*s", (int)(type.n < 31 ? type.n : 31), type.p);
    int64_t need = room_for(source_bytes(im), im->is_gguf ? from : NULL, im->type),
            room = machine_disk(im->dir);
    if (room < 0 || room >= need) {
        return SF_OK;
    }
    return sf_fail(im->eb, SF_EIO,
                   "not enough room in %.200s: %s needed while it is made, %s free. Free some, or "
                   "set generator.local.models_dir to a larger disk",
                   im->dir, machine_size(need, want), machine_size(room, have));
}

/* ---- all together ---------------------------------------------------------------------------- */

static enum sf_err unknown_type(struct import *im, const char *word)
{
    struct sf_buf list;
    sf_buf_init(&list, 300);
    for (size_t i = 0; engine_quantize_types[i] != NULL; i++) {
        sf_buf_printf(&list, "%s%s", i > 0 ? ", " : "", engine_quantize_types[i]);
    }
    enum sf_err err =
        sf_fail(im->eb, SF_EINVAL, "\"%.40s\" is no type to quantize to: 4bit, 8bit, none, %s",
                word, sf_buf_z(&list));
    sf_buf_fini(&list);
    return err;
}

static enum sf_err choose_type(struct import *im)
{
    const char *word =
        im->o->quantization != NULL ? im->o->quantization : im->conf->generator.local.quantization;
    const char *const *list = model_quant_types(word);
    const char *type = engine_quantize_type(list != NULL ? list[0] : word);
    if (type == NULL) {
        return unknown_type(im, word);
    }
    (void)snprintf(im->type, sizeof im->type, "%.31s", type);
    int n = snprintf(im->out->path, sizeof im->out->path, "%.700s/%.150s-%.31s.gguf", im->dir,
                     im->stem, im->type);
    (void)snprintf(im->half, sizeof im->half, "%.700s/.%.150s-F16.gguf.importing", im->dir,
                   im->stem);
    (void)snprintf(im->out->name, sizeof im->out->name, "%.150s", im->stem);
    if (n < 0 || !model_is_file_name(model_base_name(im->out->path))) {
        return sf_fail(im->eb, SF_EINVAL, "\"%.60s\" makes no name for a file", im->stem);
    }
    if (is_there(im->out->path)) {
        return sf_fail(im->eb, SF_EINVAL, "%.300s is there already: storyfi models remove it first",
                       im->out->path);
    }
    return SF_OK;
}

static enum sf_err make(struct import *im)
{
    char made[MODEL_PATH_MAX + 200];
    bool half_is_it = strcmp(im->type, "F16") == 0 && !im->is_gguf;
    enum sf_err err = im->is_gguf ? SF_OK : convert(im);
    (void)snprintf(made, sizeof made, "%.700s/.%.150s-%.31s.gguf.importing", im->dir, im->stem,
                   im->type);
    if (err == SF_OK && !half_is_it) {
        err = quantize(im, im->is_gguf ? im->source : im->half, made);
    }
    if (err == SF_OK) {
        err = place(im, half_is_it ? im->half : made);
    }
    (void)unlink(made);
    (void)unlink(im->half);
    return err;
}

enum sf_err model_import(const struct conf *conf, const struct import_order *o,
                         struct import_result *out, struct sf_errbuf *eb)
{
    struct import *im = sf_alloc(sizeof *im);
    if (im == NULL) {
        return SF_ENOMEM;
    }
    *out = (struct import_result){.bytes = 0};
    *im = (struct import){.conf = conf, .o = o, .out = out, .eb = eb};
    model_store_dir(conf, im->dir, sizeof im->dir);
    enum sf_err err = find_source(im);
    if (err == SF_OK) {
        err = choose_type(im);
    }
    if (err == SF_OK && !im->is_gguf) {
        err = find_converter(im);
    }
    if (err == SF_OK) {
        err = sf_dir_make(im->dir, 0755, eb);
    }
    if (err == SF_OK) {
        err = check_room(im);
    }
    if (err == SF_OK) {
        err = make(im);
    }
    free(im);
    return err;
}
