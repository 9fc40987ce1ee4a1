/* SPDX-License-Identifier: MIT */
#include "app/models.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE_ROOM 1024

/* What is known of a model before its file is opened. */
static const struct known_model {
    const char *names[4]; /* the first is the one shown */
    const char *file;
    const char *languages[4];
    bool instruct, small;
} known[] = {
    {{"HuggingFaceTB/SmolLM2-135M-Instruct", "default", "smollm2-135m"},
     "SmolLM2-135M-Instruct.Q4_1.gguf",
     {"en"},
     true,
     true},
    {{"google/gemma-3-270m", "gemma-3-270m"},
     "gemma-3-270m-q4_k_m.gguf",
     {"zh", "en"},
     false,
     true},
    {{"meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"},
     "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
     {"en"},
     true,
     false},
    {{"meta-llama/Llama-3.1-70B-Instruct", "llama-3.1-70b"},
     "Meta-Llama-3.1-70B-Instruct-Q4_K_M.gguf",
     {"en", "zh"},
     true,
     false},
    {{"mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral"},
     "Mixtral-8x7B-Instruct-v0.1.Q4_K_M.gguf",
     {"en"},
     true,
     false},
    {{"mistralai/Mistral-7B-Instruct-v0.2", "mistral-7b"},
     "Mistral-7B-Instruct-v0.2.Q4_K_M.gguf",
     {"en"},
     true,
     false},
    {{"Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b"},
     "Qwen2.5-7B-Instruct-Q4_K_M.gguf",
     {"zh", "en"},
     true,
     false},
    {{"Qwen/Qwen2.5-14B-Instruct", "qwen2.5-14b"},
     "Qwen2.5-14B-Instruct-Q4_K_M.gguf",
     {"zh", "en"},
     true,
     false},
};

static bool is_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* <folder of this program>/<rest> */
static void beside_program(const char *rest, char *out, size_t n)
{
    char self[1024];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    (void)snprintf(out, n, "%.600s/%s", self, rest);
}

static void set_up_cache(const struct conf *conf, const char *rest, char *out, size_t n)
{
    const char *cache = conf_env(conf, "STORYFI_CACHE");
    const char *xdg = conf_env(conf, "XDG_CACHE_HOME");
    const char *home = conf_env(conf, "HOME");
    if (cache != NULL && cache[0] != '\0') {
        (void)snprintf(out, n, "%s/%s", cache, rest);
    } else if (xdg != NULL && xdg[0] != '\0') {
        (void)snprintf(out, n, "%s/storyfi/%s", xdg, rest);
    } else {
        (void)snprintf(out, n, "%s/.cache/storyfi/%s", home == NULL ? "" : home, rest);
    }
}

/* The places where files of models lie, the owner's folder first. */
#define PLACES 4
static void list_places(const struct conf *conf, const char *file,
                        char places[static PLACES][PLACE_ROOM])
{
    char rest[300];
    const char *models_dir = conf->generator.local.models_dir;
    places[0][0] = '\0';
    if (models_dir[0] != '\0') {
        (void)snprintf(places[0], PLACE_ROOM, "%.700s/%.300s", models_dir, file);
    }
    (void)snprintf(rest, sizeof rest, "../share/storyfi/models/%.250s", file);
    beside_program(rest, places[1], PLACE_ROOM);
    (void)snprintf(rest, sizeof rest, "models/%.250s", file);
    set_up_cache(conf, rest, places[2], PLACE_ROOM);
    (void)snprintf(rest, sizeof rest, "test/%.250s", file);
    set_up_cache(conf, rest, places[3], PLACE_ROOM);
}

/* False: there is no such file; `out` has the first place then, unless it has one already. */
static bool find_file(const struct conf *conf, const char *file, char *out, size_t n)
{
    char places[PLACES][PLACE_ROOM];
    list_places(conf, file, places);
    for (size_t i = 0; i < PLACES; i++) {
        if (places[i][0] != '\0' && is_there(places[i])) {
            (void)snprintf(out, n, "%.1000s", places[i]);
            return true;
        }
    }
    if (out[0] == '\0') {
        (void)snprintf(out, n, "%.1000s", places[0][0] != '\0' ? places[0] : places[2]);
    }
    return false;
}

/* The words of the original for GGUF types; any other word is a type itself. */
static const struct {
    const char *word;
    const char *types[4];
} quantizations[] = {
    {"4bit", {"Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0"}},
    {"8bit", {"Q8_0"}},
    {"none", {"F16", "BF16", "F32"}},
};

/* "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf": how long the name is in front of "-Q4_K_M.gguf". */
static size_t stem_length(const char *file)
{
    size_t n = strlen(file) - strlen(".gguf"), at = n;
    while (at > 0 && file[at - 1] != '-' && file[at - 1] != '.') {
        at--;
    }
    bool is_type = at > 0 && n - at >= 2 && strchr("QqFfBbI", file[at]) != NULL &&
                   at + strcspn(file + at, "0123456789") < n;
    return is_type ? at - 1 : n;
}

static void lower(char *z)
{
    for (; *z != '\0'; z++) {
        *z = *z >= 'A' && *z <= 'Z' ? (char)(*z + ('a' - 'A')) : *z;
    }
}

/* A file of this type, as people write such names. */
static bool find_type(const struct conf *conf, const char *file, const char *type, char *out,
                      size_t n)
{
    int stem = (int)stem_length(file);
    char small[24], name[300];
    (void)snprintf(small, sizeof small, "%s", type);
    lower(small);
    const char *const types[] = {type, small};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%.*s%c%.20s.gguf", stem, file, i < 2 ? '-' : '.',
                       types[i % 2]);
        if (find_file(conf, name, out, n)) {
            return true;
        }
    }
    return false;
}

/* The file in the quantization that is wished for. `catalogued`: the catalogue's file, which is of
 * "4bit". */
static void find_quantized(const struct conf *conf, const char *file, bool catalogued, char *out,
                           size_t n)
{
    const char *wish = conf->generator.local.quantization;
    bool four = sf_str_is_nocase(sf_str(wish), "4bit") || wish[0] == '\0';
    out[0] = '\0';
    if (four && catalogued && find_file(conf, file, out, n)) {
        return;
    }
    for (size_t i = 0; i < sizeof quantizations / sizeof quantizations[0]; i++) {
        bool is_it = sf_str_is_nocase(sf_str(wish), quantizations[i].word);
        for (size_t k = 0; is_it && k < 4 && quantizations[i].types[k] != NULL; k++) {
            if (find_type(conf, file, quantizations[i].types[k], out, n)) {
                return;
            }
        }
        if (is_it) {
            (void)(!catalogued && find_file(conf, file, out, n)); /* its name tells no type */
            return;
        }
    }
    (void)find_type(conf, file, wish, out, n);
}

static void find_programs(const struct conf *conf, struct model_place *out)
{
    const struct conf_local *l = &conf->generator.local;
    if (l->engine_path[0] != '\0') {
        (void)snprintf(out->engine_path, sizeof out->engine_path, "%s", l->engine_path);
    } else {
        beside_program("storyfi-engine", out->engine_path, sizeof out->engine_path);
        if (!is_there(out->engine_path)) {
            beside_program("../libexec/storyfi/storyfi-engine", out->engine_path,
                           sizeof out->engine_path);
        }
    }
    if (l->lib_dir[0] != '\0') {
        (void)snprintf(out->lib_dir, sizeof out->lib_dir, "%s", l->lib_dir);
        return;
    }
    beside_program("../lib/storyfi", out->lib_dir, sizeof out->lib_dir);
    if (!is_there(out->lib_dir)) {
        set_up_cache(conf, "llama/lib", out->lib_dir, sizeof out->lib_dir);
    }
}

static const struct known_model *find_known(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        for (size_t k = 0; k < 4 && known[i].names[k] != NULL; k++) {
            if (sf_str_is_nocase(sf_str(name), known[i].names[k])) {
                return &known[i];
            }
        }
        const char *slash = strrchr(name, '/');
        if (strcmp(slash == NULL ? name : slash + 1, known[i].file) == 0) {
            return &known[i];
        }
    }
    return NULL;
}

void model_find(const struct conf *conf, struct model_place *out)
{
    const char *name = conf->generator.local.model_name;
    size_t length = strlen(name);
    bool is_path = length > 5 && strcmp(name + length - 5, ".gguf") == 0;
    const struct known_model *k = find_known(name);
    *out = (struct model_place){.instruct = true, .languages = {"en"}, .n_languages = 1};
    if (k != NULL) {
        out->instruct = k->instruct;
        out->small = k->small;
        for (out->n_languages = 0; out->n_languages < 4 && k->languages[out->n_languages] != NULL;
             out->n_languages++) {
            out->languages[out->n_languages] = k->languages[out->n_languages];
        }
    }
    if (is_path) {
        const char *slash = strrchr(name, '/');
        (void)snprintf(out->path, sizeof out->path, "%s", name);
        (void)snprintf(out->name, sizeof out->name, "%s",
                       k != NULL       ? k->names[0]
                       : slash == NULL ? name
                                       : slash + 1);
    } else {
        char file[200];
        const char *slash = strrchr(name, '/');
        (void)snprintf(file, sizeof file, "%.190s.gguf", slash == NULL ? name : slash + 1);
        find_quantized(conf, k != NULL ? k->file : file, k != NULL, out->path, sizeof out->path);
        (void)snprintf(out->name, sizeof out->name, "%s", k != NULL ? k->names[0] : name);
    }
    find_programs(conf, out);
}
