/* SPDX-License-Identifier: MIT */
#include "app/models.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void find_file(const struct conf *conf, const char *file, char *out, size_t n)
{
    char places[4][1024] = {"", "", "", ""}, rest[300];
    const char *models_dir = conf->generator.local.models_dir;
    if (models_dir[0] != '\0') {
        (void)snprintf(places[0], sizeof places[0], "%.700s/%.300s", models_dir, file);
    }
    (void)snprintf(rest, sizeof rest, "../share/storyfi/models/%s", file);
    beside_program(rest, places[1], sizeof places[1]);
    (void)snprintf(rest, sizeof rest, "models/%s", file);
    set_up_cache(conf, rest, places[2], sizeof places[2]);
    (void)snprintf(rest, sizeof rest, "test/%s", file);
    set_up_cache(conf, rest, places[3], sizeof places[3]);
    for (size_t i = 0; i < 4; i++) {
        if (places[i][0] != '\0' && is_there(places[i])) {
            (void)snprintf(out, n, "%.1000s", places[i]);
            return;
        }
    }
    (void)snprintf(out, n, "%.1000s", places[0][0] != '\0' ? places[0] : places[2]);
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
        find_file(conf, k != NULL ? k->file : file, out->path, sizeof out->path);
        (void)snprintf(out->name, sizeof out->name, "%s", k != NULL ? k->names[0] : name);
    }
    find_programs(conf, out);
}
