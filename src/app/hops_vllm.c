/* SPDX-License-Identifier: MIT */
#include "app/hops_internal.h"
#include "conf/environment.h"
#include "generator/vllm.h"

#include <string.h>

/* What `vllm serve` and its workers read. */
static const char *const vllm_variables[] = {"PATH",
                                             "HOME",
                                             "LANG",
                                             "TMPDIR",
                                             "USER",
                                             "LD_LIBRARY_PATH",
                                             "VIRTUAL_ENV",
                                             "PYTHON*",
                                             "CUDA_*",
                                             "NVIDIA_*",
                                             "NCCL_*",
                                             "VLLM_*",
                                             "RAY_*",
                                             "TORCH*",
                                             "HF_*",
                                             "XDG_CACHE_HOME",
                                             "http_proxy",
                                             "https_proxy",
                                             "no_proxy",
                                             "HTTP_PROXY",
                                             "HTTPS_PROXY",
                                             "NO_PROXY",
                                             "SSL_CERT_FILE",
                                             "REQUESTS_CA_BUNDLE",
                                             "HUGGING_FACE_HUB_TOKEN"};

/* The port of "http://127.0.0.1:8000/v1": where our own vLLM listens. 0: any. */
static int64_t port_of(const char *endpoint)
{
    const char *host = strstr(endpoint, "://");
    const char *colon = strchr(host == NULL ? endpoint : host + 3, ':');
    uint64_t port = 0;
    if (colon != NULL) {
        (void)sf_scan_u64((struct sf_str){colon + 1, strspn(colon + 1, "0123456789")}, 65535,
                          &port);
    }
    return (int64_t)port;
}

static enum sf_err open_spawned(struct gen_chain_hop *hop, const struct conf_vllm *v,
                                struct vllm_options o)
{
    if (v->model_name[0] == '\0') {
        (void)snprintf(hop->reason, sizeof hop->reason,
                       "no model to start vLLM with: set generator.vllm.model_name");
        return SF_OK;
    }
    char **environment = conf_environment_pick(vllm_variables, COUNT(vllm_variables), NULL);
    if (environment == NULL) {
        return SF_ENOMEM;
    }
    struct vllm_spawn_options spawn = vllm_spawn_options_default();
    spawn.command = v->command;
    spawn.model = v->model_name;
    spawn.port = port_of(v->endpoint);
    spawn.tensor_parallel_size = v->tensor_parallel_size;
    spawn.gpu_memory_utilization = v->gpu_memory_utilization;
    spawn.max_model_len = v->max_model_len;
    spawn.quantization = v->quantization;
    spawn.dtype = v->dtype;
    spawn.environment = (const char *const *)environment;
    o.spawn = &spawn;
    enum sf_err err = hops_open_one(hop, &o);
    conf_environment_free(environment);
    return err;
}

enum sf_err hops_add_vllm(struct hops *a)
{
    const struct conf_vllm *v = &a->conf->generator.vllm;
    const char *key = v->api_key_env[0] == '\0' ? NULL : conf_secret(a->conf, v->api_key_env);
    struct gen_chain_hop *hop = hops_new(a, &generator_vllm, "vllm",
                                         v->model_name[0] != '\0' ? v->model_name : v->endpoint);
    if (hop == NULL) {
        return SF_OK;
    }
    hop->progress_ms = v->timeout_ms;
    struct vllm_options o = {.endpoint = v->endpoint,
                             .model = v->model_name,
                             .key = key,
                             .key_variable = v->api_key_env,
                             .temperature = v->temperature,
                             .top_p = v->top_p,
                             .max_tokens = v->max_tokens,
                             .patience_ms = v->timeout_ms > 0
                                                ? v->timeout_ms
                                                : a->conf->generator.chain.progress_timeout_ms};
    return v->spawn ? open_spawned(hop, v, o) : hops_open_one(hop, &o);
}
