/* SPDX-License-Identifier: MIT */
#include "generator/local_check.h"

#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beside the weights: cache of prompts, batches, the program; measured with small models. */
#define MEMORY_BESIDE (INT64_C(400) << 20)
#define DISK_LOW INT64_C(1000000000)

static void check_helper(const struct local_place *p, struct gen_checks *out)
{
    struct stat st;
    if (stat(p->engine_path, &st) != 0) {
        gen_checks_add(out, GEN_CHECK_FAIL, "engine helper",
                       "install storyfi whole (make install), or set generator.local.engine_path",
                       "%.120s: %s", p->engine_path, strerrordesc_np(errno));
    } else if (!S_ISREG(st.st_mode) || access(p->engine_path, X_OK) != 0) {
        gen_checks_add(out, GEN_CHECK_FAIL, "engine helper", "chmod +x it, or install it again",
                       "%.150s is no program that may be executed", p->engine_path);
    } else {
        gen_checks_add(out, GEN_CHECK_OK, "engine helper", "", "%.200s", p->engine_path);
    }
}

/* Whether the folder has a file whose name begins so. */
static bool has_file(const char *dir, const char *prefix)
{
    bool found = false;
    DIR *d = opendir(dir);
    struct dirent *e;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        found = strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return found;
}

static void check_libraries(const struct local_place *p, struct gen_checks *out)
{
    if (has_file(p->lib_dir, "libllama")) {
        gen_checks_add(out, GEN_CHECK_OK, "llama libraries", "", "in %.200s", p->lib_dir);
        return;
    }
    /* The helper may know a place of its own: whether it starts says the last word. */
    gen_checks_add(out, GEN_CHECK_WARN, "llama libraries",
                   "make setup fetches them; or set generator.local.lib_dir",
                   "no libllama in %.150s", p->lib_dir[0] == '\0' ? "(no folder)" : p->lib_dir);
}

/* The model's size in bytes, -1 when it is no model that can be read. */
static int64_t check_model(const struct local_place *p, struct gen_checks *out)
{
    static const char remedy[] =
        "storyfi models pull NAME downloads it (make setup the default one); or set "
        "generator.local.model_name to a .gguf file that is there, or models_dir to its folder";
    char magic[4] = "", size[MACHINE_SIZE_MAX];
    struct stat st = {.st_size = 0};
    int fd = open(p->model_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        gen_checks_add(out, GEN_CHECK_FAIL, "model file", remedy, "%.150s: %s", p->model_path,
                       strerrordesc_np(errno));
        return -1;
    }
    bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    bool is_model = is_file && read(fd, magic, sizeof magic) == 4 && memcmp(magic, "GGUF", 4) == 0;
    (void)close(fd);
    if (!is_model) {
        gen_checks_add(out, GEN_CHECK_FAIL, "model file", remedy,
                       "%.150s is no GGUF file (%s, %s): half fetched, or something else",
                       p->model_path, is_file ? "a file" : "no plain file",
                       machine_size(st.st_size, size));
        return -1;
    }
    gen_checks_add(out, GEN_CHECK_OK, "model file", "", "%.180s, %s", p->model_path,
                   machine_size(st.st_size, size));
    return st.st_size;
}

static void check_memory(int64_t model, bool on_gpu, const struct machine *m,
                         struct gen_checks *out)
{
    char have[MACHINE_SIZE_MAX], want[MACHINE_SIZE_MAX];
    int64_t room = machine_memory(m), need = model + model / 5 + MEMORY_BESIDE;
    bool limited = m->memory_room_bytes >= 0 && m->memory_room_bytes == room;
    if (room < 0) {
        gen_checks_add(out, GEN_CHECK_WARN, "memory for the model", "",
                       "not checked: the kernel does not tell how much is free");
        return;
    }
    (void)machine_size(room, have);
    (void)machine_size(need, want);
    enum gen_verdict verdict = room >= need              ? GEN_CHECK_OK
                               : room < model && !on_gpu ? GEN_CHECK_FAIL
                                                         : GEN_CHECK_WARN;
    gen_checks_add(out, verdict, "memory for the model",
                   verdict == GEN_CHECK_OK ? ""
                   : limited               ? "raise the memory limit of this container or service, "
                                             "or take a smaller model"
                             : "end other programs, or take a smaller model or quantization",
                   "%s free%s, about %s needed%s", have, limited ? " (the cgroup's limit)" : "",
                   want, on_gpu ? "; with a GPU most of it is there" : "");
}

static bool wants_gpu(const char *device)
{
    return strncmp(device, "cuda", 4) == 0;
}

static void check_gpu(const struct local_place *p, const struct machine *m, struct gen_checks *out)
{
    bool cuda = has_file(p->lib_dir, "libggml-cuda"), seen = m->gpus > 0 && m->gpu_driver[0] != 0;
    bool wanted = wants_gpu(p->device), automatic = strcmp(p->device, "auto") == 0;
    uint64_t index = 0;
    if (strncmp(p->device, "cuda:", 5) == 0) {
        (void)sf_scan_u64(sf_str(p->device + 5), 1023, &index);
    }
    if (!wanted && (!automatic || (!seen && m->gpu_driver[0] == '\0' && m->gpus == 0))) {
        gen_checks_add(out, GEN_CHECK_OK, "GPU", "", "%s",
                       automatic ? "none here: the model runs on the CPU"
                                 : "not asked for: the model runs on the CPU");
    } else if (!seen) {
        gen_checks_add(out, wanted ? GEN_CHECK_FAIL : GEN_CHECK_WARN, "GPU",
                       "install the NVIDIA driver (in a container: start it with --gpus all), or "
                       "set generator.local.device to auto or cpu",
                       "%s",
                       m->gpus == 0 ? "no /dev/nvidia0: this machine shows no GPU"
                                    : "no /proc/driver/nvidia/version: the driver is not "
                                      "loaded");
    } else if (wanted && (int64_t)index >= m->gpus) {
        gen_checks_add(out, GEN_CHECK_FAIL, "GPU", "count from 0, or set device to cuda",
                       "%s is asked for, %d seen (driver %s)", p->device, m->gpus, m->gpu_driver);
    } else if (!cuda) {
        gen_checks_add(out, wanted ? GEN_CHECK_FAIL : GEN_CHECK_WARN, "GPU",
                       "LLAMA=source LLAMA_CMAKE_ARGS=-DGGML_CUDA=ON make setup builds them "
                       "with it (needs the CUDA toolkit); or device: cpu",
                       "%d seen (driver %s), but the llama libraries have no CUDA part", m->gpus,
                       m->gpu_driver);
    } else {
        gen_checks_add(out, GEN_CHECK_OK, "GPU", "", "%d seen, driver %s", m->gpus, m->gpu_driver);
    }
}

static void check_disk(const struct local_place *p, struct gen_checks *out)
{
    char size[MACHINE_SIZE_MAX];
    int64_t room = machine_disk(p->model_path);
    if (room < 0) {
        gen_checks_add(out, GEN_CHECK_WARN, "disk for models", "", "not checked: no such place");
    } else {
        bool low = room < DISK_LOW;
        gen_checks_add(out, low ? GEN_CHECK_WARN : GEN_CHECK_OK, "disk for models",
                       low ? "make room, or set generator.local.models_dir to a larger disk" : "",
                       "%s free", machine_size(room, size));
    }
}

void local_check_place(const struct local_place *p, const struct machine *m, struct gen_checks *out)
{
    check_helper(p, out);
    check_libraries(p, out);
    int64_t model = check_model(p, out);
    if (model >= 0 && p->loaded) {
        gen_checks_add(out, GEN_CHECK_OK, "memory for the model", "",
                       "the miner that runs holds it already");
    } else if (model >= 0) {
        bool on_gpu =
            m->gpus > 0 && strcmp(p->device, "cpu") != 0 && has_file(p->lib_dir, "libggml-cuda");
        check_memory(model, on_gpu, m, out);
    }
    check_gpu(p, m, out);
    check_disk(p, out);
}
