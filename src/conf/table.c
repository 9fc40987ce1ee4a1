/* SPDX-License-Identifier: MIT */
#include "conf/table.h"

#include <stdio.h>
#include <string.h>

/* One row per option; the macros only save the offset and the bookkeeping of each type. */
#define AT(s, field) .offset = offsetof(struct s, field)
#define N_ROWS(a) (sizeof(a) / sizeof(a)[0])
#define GB (1024.0 * 1024 * 1024)
#define DAY (24.0 * 3600)

static const struct conf_row local_rows[] = {
    {"model_name", "model", CONF_TEXT, CONF_RELOAD, AT(conf_local, model_name), "default", 0, 0,
     "NAME|PATH.gguf", NULL,
     "The model: `default` (the small one that set-up fetches), a Hugging Face or catalogue name "
     "such "
     "as `meta-llama/Llama-3.1-8B-Instruct`, or the path of a GGUF file.",
     NULL, NULL},
    {"device", NULL, CONF_TEXT, CONF_RELOAD, AT(conf_local, device), "auto", 0, 0,
     "auto|cpu|cuda|cuda:N", NULL, "Where the model runs: `auto` takes a GPU where there is one.",
     NULL, NULL},
    {"quantization", NULL, CONF_TEXT, CONF_NULL_NONE | CONF_RELOAD, AT(conf_local, quantization),
     "4bit", 0, 0, "4bit|8bit|none|GGUF type", NULL,
     "Which file of the model: `4bit` is Q4_K_M, `8bit` is Q8_0, `none` (or null) is F16 or BF16; "
     "or a "
     "GGUF type such as `Q5_K_M`.",
     NULL, NULL},
    {"max_memory", NULL, CONF_BYTES, CONF_RELOAD, AT(conf_local, max_memory_bytes), "0", 0,
     65536 * GB, NULL, NULL, "The most memory the model may take on its device; 0 is no limit.",
     "16GB", NULL},
    {"use_flash_attention", NULL, CONF_SWITCH3, CONF_RELOAD, AT(conf_local, use_flash_attention),
     "auto", 0, 0, NULL, NULL, "Flash attention; `auto` lets the engine decide.", NULL, NULL},
    {"context", "n_ctx", CONF_INT, CONF_RELOAD, AT(conf_local, context_tokens), "0", 0, 4194304,
     NULL, NULL, "Tokens of context for all sequences together; 0 lets the engine decide.", NULL,
     NULL},
    {"sequences", NULL, CONF_INT, CONF_RELOAD, AT(conf_local, sequences), "0", 0, 256, NULL, NULL,
     "Parts of answers written side by side; 0 lets the engine decide.", NULL, NULL},
    {"threads", NULL, CONF_INT, CONF_RELOAD, AT(conf_local, threads), "0", 0, 1024, NULL, NULL,
     "CPU threads; 0 takes what this machine has. More than that is cut to it.", NULL, NULL},
    {"n_gpu_layers", NULL, CONF_INT, CONF_RELOAD, AT(conf_local, n_gpu_layers), "-1", -1, 10000,
     NULL, NULL, "Layers of the model on the GPU; -1 is all that fit.", NULL, NULL},
    {"models_dir", NULL, CONF_PATH, 0, AT(conf_local, models_dir), "", 0, 0, NULL, NULL,
     "The folder with model files; empty is the set-up's and the installation's own.", NULL, NULL},
    {"models_max_size", NULL, CONF_BYTES, 0, AT(conf_local, models_max_bytes), "0", 0, 1048576 * GB,
     NULL, NULL,
     "The most that the files of `models_dir` may take together; a model that would not fit is not "
     "pulled. 0 is no limit.",
     "200GB", NULL},
    {"hub_endpoint", NULL, CONF_URL, 0, AT(conf_local, hub_endpoint), "", 0, 0, NULL, NULL,
     "Where models are pulled from; empty is `HF_ENDPOINT`, else https://huggingface.co. The only "
     "host that gets `HF_TOKEN`.",
     NULL, NULL},
    {"hub_mirrors", NULL, CONF_LIST, 0, AT(conf_local, hub_mirrors), "", 0, 0, "URL", NULL,
     "Further hosts with the same files, asked in this order when the first does not answer.",
     "[https://hf-mirror.com]", NULL},
    {"auto_download", NULL, CONF_BOOL, 0, AT(conf_local, auto_download), "true", 0, 0, NULL, NULL,
     "A miner whose model is not here pulls it in the background and loads it then.", NULL, NULL},
    {"auto_tune", NULL, CONF_BOOL, 0, AT(conf_local, auto_tune), "true", 0, 0, NULL, NULL,
     "`storyfi models pull` also writes the model in the layout that this CPU reads fastest, where "
     "it runs on one (half a minute); see models.md.",
     NULL, NULL},
    {"catalogue", NULL, CONF_PATH, 0, AT(conf_local, catalogue), "", 0, 0, NULL, NULL,
     "A file like the built-in `models.yaml`: its models come in front of those.", NULL, NULL},
    {"engine_path", NULL, CONF_PATH, 0, AT(conf_local, engine_path), "", 0, 0, NULL, NULL,
     "The helper program `storyfi-engine`; empty is the one beside this program.", NULL, NULL},
    {"lib_dir", NULL, CONF_PATH, 0, AT(conf_local, lib_dir), "", 0, 0, NULL, NULL,
     "The folder with the llama.cpp libraries; empty is where they were installed.", NULL, NULL},
    {"temperature", NULL, CONF_REAL, CONF_RELOAD, AT(conf_local, temperature), "0.8", 0, 2, NULL,
     NULL, "How freely the model picks words; the texts are tuned for the default.", NULL, NULL},
    {"top_p", NULL, CONF_REAL, CONF_RELOAD, AT(conf_local, top_p), "0.95", 0, 1, NULL, NULL,
     "Only the most likely words that together reach this share are picked from.", NULL, NULL},
    {"endpoint", NULL, CONF_URL, CONF_RELOAD, AT(conf_local, endpoint), "", 0, 0, NULL, NULL,
     "The address of another machine's `storyfi serve` (…/generate), whose engine is used instead "
     "of one here.",
     NULL, NULL},
    {"api_key_env", NULL, CONF_VARIABLE, CONF_RELOAD, AT(conf_local, api_key_env), "", 0, 0, NULL,
     NULL, "The variable that holds the token for `endpoint`.", NULL, NULL},
    {"stall_timeout", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_local, stall_timeout_ms), "5", 0.5,
     600, NULL, NULL,
     "An engine at work that says nothing for this long is ended and started again.", NULL, NULL},
    {"load_timeout", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_local, load_timeout_ms), "600", 1,
     DAY, NULL, NULL, "The longest that loading a model may take.", NULL, NULL},
    {"prefix_cache", NULL, CONF_BYTES, CONF_RELOAD, AT(conf_local, prefix_cache_bytes), "0", 0,
     65536 * GB, NULL, NULL, "Memory for prompts kept between requests; 0 lets the engine decide.",
     NULL, NULL},
    {"compose", NULL, CONF_CHOICE, CONF_RELOAD, AT(conf_local, compose), "waves", 0, 0,
     "waves|sequential", NULL,
     "How an answer's texts are written: `waves` writes them side by side; `sequential` one after "
     "the other, each knowing those before it, several times slower and measured to be no better.",
     NULL, NULL},
};
static const struct conf_table local_table = {local_rows, N_ROWS(local_rows),
                                              sizeof(struct conf_local),
                                              "A model on this machine (rewarded 1.5 times)."};

static const struct conf_row vllm_rows[] = {
    {"endpoint", "base_url", CONF_URL, CONF_RELOAD, AT(conf_vllm, endpoint),
     "http://127.0.0.1:8000/v1", 0, 0, NULL, NULL, "The server's OpenAI-compatible base address.",
     NULL, NULL},
    {"model_name", "model", CONF_TEXT, CONF_RELOAD, AT(conf_vllm, model_name), "", 0, 0, "NAME",
     NULL, "The model that the server has; empty asks the server.",
     "meta-llama/Llama-3.1-8B-Instruct", NULL},
    {"api_key_env", NULL, CONF_VARIABLE, CONF_RELOAD, AT(conf_vllm, api_key_env), "", 0, 0, NULL,
     NULL, "The variable that holds the server's key, if it wants one.", NULL, NULL},
    {"spawn", NULL, CONF_BOOL, 0, AT(conf_vllm, spawn), "false", 0, 0, NULL, NULL,
     "Start and supervise `vllm serve` here instead of using a server that runs.", NULL, NULL},
    {"command", NULL, CONF_PATH, 0, AT(conf_vllm, command), "vllm", 0, 0, NULL, NULL,
     "The program to start with `spawn`.", NULL, NULL},
    {"tensor_parallel_size", NULL, CONF_INT, 0, AT(conf_vllm, tensor_parallel_size), "1", 1, 1024,
     NULL, NULL, "GPUs that share one model (with `spawn`).", NULL, NULL},
    {"gpu_memory_utilization", NULL, CONF_REAL, 0, AT(conf_vllm, gpu_memory_utilization), "0.9",
     0.01, 1, NULL, NULL, "Share of the GPU memory that the server takes (with `spawn`).", NULL,
     NULL},
    {"max_model_len", NULL, CONF_INT, 0, AT(conf_vllm, max_model_len), "0", 0, 4194304, NULL, NULL,
     "Tokens of context (with `spawn`); 0 is the model's own.", NULL, NULL},
    {"quantization", NULL, CONF_TEXT, 0, AT(conf_vllm, quantization), "", 0, 0, "awq|gptq|fp8|…",
     NULL, "Passed to the server (with `spawn`); empty or null is none.", NULL, NULL},
    {"dtype", NULL, CONF_TEXT, 0, AT(conf_vllm, dtype), "auto", 0, 0, "auto|half|bfloat16|…", NULL,
     "Passed to the server (with `spawn`).", NULL, NULL},
    {"temperature", NULL, CONF_REAL, CONF_RELOAD, AT(conf_vllm, temperature), "0.8", 0, 2, NULL,
     NULL, "How freely the model picks words.", NULL, NULL},
    {"top_p", NULL, CONF_REAL, CONF_RELOAD, AT(conf_vllm, top_p), "0.95", 0, 1, NULL, NULL,
     "Only the most likely words that together reach this share are picked from.", NULL, NULL},
    {"max_tokens", NULL, CONF_INT, CONF_RELOAD, AT(conf_vllm, max_tokens), "0", 0, 1048576, NULL,
     NULL, "The longest answer; 0 is what the task needs.", NULL, NULL},
    {"timeout", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_vllm, timeout_ms), "0", 0, 600, NULL, NULL,
     "The longest without progress; 0 is `generator.chain.progress_timeout`.", NULL, NULL},
};
static const struct conf_table vllm_table = {
    vllm_rows, N_ROWS(vllm_rows), sizeof(struct conf_vllm),
    "A vLLM server, here or elsewhere (rewarded 1.5 times)."};

static const struct conf_row custom_rows[] = {
    {"name", NULL, CONF_TEXT, CONF_RELOAD, AT(conf_custom, name), "custom", 0, 0, "NAME", NULL,
     "How `mode`, `fallback` and the status name it.", NULL, NULL},
    {"plugin", NULL, CONF_PATH, 0, AT(conf_custom, plugin), "", 0, 0, NULL, NULL,
     "A shared library that exports the structure of `storyfi/generator.h`.", NULL, NULL},
    {"script_path", "script", CONF_PATH, CONF_RELOAD, AT(conf_custom, script_path), "", 0, 0, NULL,
     NULL, "A program that reads the request as JSON on stdin and prints `{\"content\": …}`.",
     "./custom/generate.py", NULL},
    {"endpoint", NULL, CONF_URL, CONF_RELOAD, AT(conf_custom, endpoint), "", 0, 0, NULL, NULL,
     "A service that takes the same JSON by POST: one of yours, or another machine's `storyfi "
     "serve`.",
     "http://localhost:8000/generate", NULL},
    {"api_key_env", NULL, CONF_VARIABLE, CONF_RELOAD, AT(conf_custom, api_key_env), "", 0, 0, NULL,
     NULL, "The variable that holds the token for `endpoint`, if it wants one.", NULL, NULL},
    {"env_vars", NULL, CONF_MAP, CONF_RELOAD | CONF_SECRET, AT(conf_custom, env_vars), "", 0, 0,
     NULL, NULL,
     "Variables for the script, settings for the plugin; `${NAME}` is put in from the environment "
     "or `.env`.",
     "{MY_TOKEN: \"${MY_TOKEN}\"}", NULL},
    {"timeout", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_custom, timeout_ms), "60", 0.1, 3600, NULL,
     NULL, "The longest one answer may take; a request's deadline may end it sooner.", NULL, NULL},
    {"max_output", NULL, CONF_BYTES, CONF_RELOAD, AT(conf_custom, max_output_bytes), "4MiB", 1024,
     GB, NULL, NULL, "The largest answer that is read.", NULL, NULL},
    {"concurrency", NULL, CONF_INT, CONF_RELOAD, AT(conf_custom, concurrency), "4", 1, 1024, NULL,
     NULL, "Scripts or calls that may run at once.", NULL, NULL},
};
static const struct conf_table custom_table = {
    custom_rows, N_ROWS(custom_rows), sizeof(struct conf_custom),
    "A script, a service or a plugin of your own (rewarded 1.0 times). Several may stand in a "
    "list, "
    "each with a `name`; of one with several of `plugin`, `script_path` and `endpoint` each is "
    "tried, "
    "in that order."};

static const struct conf_row limits_rows[] = {
    {"requests_per_hour", NULL, CONF_INT, CONF_RELOAD, AT(conf_api_limits, requests_per_hour), "0",
     0, 1e9, NULL, NULL, "The most requests in an hour; 0 is no limit.", NULL, NULL},
    {"cost_per_day", NULL, CONF_REAL, CONF_RELOAD, AT(conf_api_limits, cost_per_day), "0", 0, 1e9,
     NULL, NULL, "The most US dollars in a day; 0 is no limit.", NULL, NULL},
};
static const struct conf_table limits_table = {limits_rows, N_ROWS(limits_rows),
                                               sizeof(struct conf_api_limits),
                                               "What an account may be used for."};

static const struct conf_row price_rows[] = {
    {"input", NULL, CONF_REAL, CONF_RELOAD, AT(conf_api_price, input), "-1", -1, 1e6, NULL, NULL,
     "US dollars for a million tokens sent; -1 is the catalogue's.", NULL, NULL},
    {"output", NULL, CONF_REAL, CONF_RELOAD, AT(conf_api_price, output), "-1", -1, 1e6, NULL, NULL,
     "US dollars for a million tokens written; -1 is the catalogue's.", NULL, NULL},
};
static const struct conf_table price_table = {
    price_rows, N_ROWS(price_rows), sizeof(struct conf_api_price), "What the model costs."};

/* `fallbacks` stands last: a fallback is the same record without it. */
extern const struct conf_table conf_api_fallback_table;
static const struct conf_row api_rows[] = {
    {"name", NULL, CONF_TEXT, CONF_RELOAD, AT(conf_api, name), "", 0, 0, "NAME", NULL,
     "How the status names it; empty is the provider.", NULL, NULL},
    {"provider", NULL, CONF_CHOICE, CONF_RELOAD, AT(conf_api, provider), "openai", 0, 0,
     "openai|gemini|anthropic|custom", NULL,
     "Whose interface it is; `openai` with `endpoint`, or `custom`, is anything OpenAI-compatible.",
     NULL, NULL},
    {"api_key_env", NULL, CONF_VARIABLE, CONF_RELOAD, AT(conf_api, api_key_env), "", 0, 0, NULL,
     NULL,
     "The variable, in the environment or `.env`, that holds the key; empty is the provider's "
     "usual "
     "one (OPENAI_API_KEY, GEMINI_API_KEY, ANTHROPIC_API_KEY).",
     "OPENAI_API_KEY", NULL},
    {"model", "model_name", CONF_TEXT, CONF_RELOAD, AT(conf_api, model), "", 0, 0, "NAME", NULL,
     "The model; empty is the provider's cheap one (openai: gpt-4o-mini).", "gpt-4o-mini", NULL},
    {"endpoint", "base_url", CONF_URL, CONF_RELOAD, AT(conf_api, endpoint), "", 0, 0, NULL, NULL,
     "The base address; empty is the provider's own.", "https://api.openai.com/v1", NULL},
    {"temperature", NULL, CONF_REAL, CONF_RELOAD, AT(conf_api, temperature), "0.8", 0, 2, NULL,
     NULL, "How freely the model picks words; left out where a model refuses it.", NULL, NULL},
    {"max_tokens", NULL, CONF_INT, CONF_RELOAD, AT(conf_api, max_tokens), "0", 0, 1048576, NULL,
     NULL, "The longest answer; 0 is what the task needs.", NULL, NULL},
    {"timeout", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_api, timeout_ms), "0", 0, 600, NULL, NULL,
     "The longest without progress; 0 is `generator.chain.progress_timeout`.", NULL, NULL},
    {"concurrency", NULL, CONF_INT, CONF_RELOAD, AT(conf_api, concurrency), "4", 1, 256, NULL, NULL,
     "Requests to this provider at once.", NULL, NULL},
    {"limits", NULL, CONF_SECTION, 0, AT(conf_api, limits), "", 0, 0, NULL, NULL, NULL, NULL,
     &limits_table},
    {"price", NULL, CONF_SECTION, 0, AT(conf_api, price), "", 0, 0, NULL, NULL, NULL, NULL,
     &price_table},
    {"fallbacks", NULL, CONF_RECORDS, CONF_RELOAD, AT(conf_api, fallbacks), "", 0, 0, NULL, NULL,
     "Further providers, tried in this order; each takes the keys of `api` but this one.",
     "[{provider: gemini}]", &conf_api_fallback_table},
};
static const struct conf_table api_table = {api_rows, N_ROWS(api_rows), sizeof(struct conf_api),
                                            "A cloud provider (rewarded 0.5 times). Keys of "
                                            "providers are never written here: `api_key_env` "
                                            "names the variable."};
const struct conf_table conf_api_fallback_table = {api_rows, N_ROWS(api_rows) - 1,
                                                   sizeof(struct conf_api), NULL};

static const struct conf_row chain_rows[] = {
    {"progress_timeout", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_chain, progress_timeout_ms), "10",
     0.1, 600, NULL, NULL, "A generator that makes no progress for this long is left for the next.",
     NULL, NULL},
    {"reserve", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_chain, reserve_ms), "4", 0, 600, NULL,
     NULL,
     "Time kept for each generator behind the one at work, together at most half of what is left.",
     NULL, NULL},
    {"min_tokens_per_second", NULL, CONF_REAL, CONF_RELOAD, AT(conf_chain, min_tokens_per_second),
     "2", 0, 1e6, NULL, NULL, "Slower than this counts as no progress; 0 is never.", NULL, NULL},
    {"min_tokens_window", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_chain, min_tokens_window_ms),
     "5", 0.1, 600, NULL, NULL, "The time over which that speed is taken.", NULL, NULL},
    {"retry_jitter_min_ms", NULL, CONF_MILLIS, CONF_RELOAD, AT(conf_chain, retry_jitter_min_ms),
     "50", 0, 60000, NULL, NULL, "The shortest wait before the one retry of a temporary failure.",
     NULL, NULL},
    {"retry_jitter_max_ms", NULL, CONF_MILLIS, CONF_RELOAD, AT(conf_chain, retry_jitter_max_ms),
     "200", 0, 60000, NULL, NULL, "The longest such wait.", NULL, NULL},
    {"breaker_failures", NULL, CONF_INT, CONF_RELOAD, AT(conf_chain, breaker_failures), "3", 1,
     1000, NULL, NULL, "Failures in a row that take a generator out of use for a while.", NULL,
     NULL},
    {"breaker_window", NULL, CONF_INT, CONF_RELOAD, AT(conf_chain, breaker_window), "20", 1, 1000,
     NULL, NULL, "Last calls over which the share of failures is taken.", NULL, NULL},
    {"breaker_min_samples", NULL, CONF_INT, CONF_RELOAD, AT(conf_chain, breaker_min_samples), "6",
     1, 1000, NULL, NULL, "Calls there must be before the share counts.", NULL, NULL},
    {"breaker_share", NULL, CONF_REAL, CONF_RELOAD, AT(conf_chain, breaker_share), "0.5", 0.01, 1,
     NULL, NULL, "The share of failures that takes it out of use.", NULL, NULL},
    {"breaker_open", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_chain, breaker_open_ms), "5", 0.01,
     DAY, NULL, NULL, "How long it stays out at first; doubles each time.", NULL, NULL},
    {"breaker_open_max", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_chain, breaker_open_max_ms),
     "300", 0.01, DAY, NULL, NULL, "The longest it stays out.", NULL, NULL},
    {"account_open", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_chain, account_open_ms), "900", 0.01,
     DAY, NULL, NULL, "How long a provider is out after a refused key or an empty account.", NULL,
     NULL},
    {"rate_limit_bench", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_chain, rate_limit_bench_ms), "5",
     0.01, DAY, NULL, NULL, "How long after a rate limit that names no delay; doubles each time.",
     NULL, NULL},
    {"probe_interval", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_chain, probe_interval_ms), "10",
     0.1, DAY, NULL, NULL, "How often a generator that is out is looked at (free requests only).",
     NULL, NULL},
};
static const struct conf_table chain_table = {chain_rows, N_ROWS(chain_rows),
                                              sizeof(struct conf_chain),
                                              "When the next generator takes over."};

static const struct conf_row generator_rows[] = {
    {"mode", NULL, CONF_TEXT, CONF_RELOAD, AT(conf_generator, mode), "local", 0, 0,
     "local|vllm|custom|api|auto|NAME", NULL,
     "Which generator answers first; `auto` orders them by what they are expected to earn. A "
     "custom "
     "generator may be named.",
     NULL, NULL},
    {"fallback", NULL, CONF_LIST, CONF_RELOAD, AT(conf_generator, fallback), "", 0, 0,
     "local|vllm|custom|api|NAME", NULL,
     "Who takes over, in this order. Not set is whatever else is configured, in the order local, "
     "vllm, custom, api; `[]` is nobody.",
     "[api]", NULL},
    {"template_dir", NULL, CONF_PATH, CONF_RELOAD, AT(conf_generator, template_dir), "", 0, 0, NULL,
     NULL, "A folder with prompt templates of your own (YAML, JSON or TXT, one per task).",
     "./config/prompts", NULL},
    {"hedge_after_ms", NULL, CONF_MILLIS, CONF_RELOAD, AT(conf_generator, hedge_after_ms), "0", 0,
     60000, NULL, NULL,
     "Start the next generator too when the first is later than this; 0 is never.", NULL, NULL},
    {"local", NULL, CONF_SECTION, CONF_PRESENT, AT(conf_generator, local), "", 0, 0, NULL, NULL,
     NULL, NULL, &local_table},
    {"vllm", NULL, CONF_SECTION, CONF_PRESENT, AT(conf_generator, vllm), "", 0, 0, NULL, NULL, NULL,
     NULL, &vllm_table},
    {"custom", NULL, CONF_RECORDS, CONF_ONE_OK | CONF_RELOAD, AT(conf_generator, custom), "", 0, 0,
     NULL, NULL, NULL, NULL, &custom_table},
    {"api", NULL, CONF_SECTION, CONF_PRESENT, AT(conf_generator, api), "", 0, 0, NULL, NULL, NULL,
     NULL, &api_table},
    {"chain", NULL, CONF_SECTION, 0, AT(conf_generator, chain), "", 0, 0, NULL, NULL, NULL, NULL,
     &chain_table},
};
static const struct conf_table generator_table = {generator_rows, N_ROWS(generator_rows),
                                                  sizeof(struct conf_generator),
                                                  "Who writes the stories."};

static const struct conf_row axon_rows[] = {
    {"ip", NULL, CONF_TEXT, CONF_COMMON, AT(conf_axon, ip), "0.0.0.0", 0, 0, "ADDRESS",
     "BT_AXON_IP", "The address to listen on; one that is not this machine's listens on all.", NULL,
     NULL},
    {"port", NULL, CONF_INT, CONF_COMMON, AT(conf_axon, port), "8091", 0, 65535, NULL,
     "BT_AXON_PORT", "The port to listen on; 0 is any free one.", NULL, NULL},
    {"external_ip", NULL, CONF_TEXT, CONF_COMMON | CONF_RELOAD, AT(conf_axon, external_ip), "", 0,
     0, "ADDRESS", "BT_AXON_EXTERNAL_IP",
     "The address that validators reach this machine at; empty is found out.", NULL, NULL},
    {"external_port", NULL, CONF_INT, CONF_COMMON | CONF_RELOAD, AT(conf_axon, external_port), "0",
     0, 65535, NULL, "BT_AXON_EXTERNAL_PORT", "The port there; 0 is `axon.port`.", NULL, NULL},
    {"external_ip_services", NULL, CONF_LIST, CONF_RELOAD, AT(conf_axon, external_ip_services), "",
     0, 0, "URL", NULL,
     "Who is asked for it: services that answer with the caller's address as plain text; two must "
     "agree. Empty is five public ones.",
     NULL, NULL},
    {"external_ip_interval", NULL, CONF_SECONDS, CONF_RELOAD,
     AT(conf_axon, external_ip_interval_ms), "900", 1, 86400, NULL, NULL,
     "How often they are asked again, so that an address that changes is announced.", NULL, NULL},
    {"max_workers", NULL, CONF_INT, 0, AT(conf_axon, max_workers), "10", 1, 1024, NULL,
     "BT_AXON_MAX_WORKERS", "Requests answered at once.", NULL, NULL},
    {"queue_size", NULL, CONF_INT, 0, AT(conf_axon, queue_size), "64", 1, 100000, NULL, NULL,
     "Requests that may wait; more are refused at once.", NULL, NULL},
    {"max_body", NULL, CONF_BYTES, 0, AT(conf_axon, max_body_bytes), "4MiB", 1024, GB, NULL, NULL,
     "The largest request that is read.", NULL, NULL},
    {"max_connections", NULL, CONF_INT, 0, AT(conf_axon, max_connections), "1024", 1, 100000, NULL,
     NULL, "Connections open at once.", NULL, NULL},
    {"max_connections_per_ip", NULL, CONF_INT, 0, AT(conf_axon, max_connections_per_ip), "64", 1,
     100000, NULL, NULL, "Of them from one address.", NULL, NULL},
    {"head_timeout", NULL, CONF_SECONDS, 0, AT(conf_axon, head_timeout_ms), "5", 0.1, 600, NULL,
     NULL, "The longest a caller may take to send the head of a request.", NULL, NULL},
    {"body_timeout", NULL, CONF_SECONDS, 0, AT(conf_axon, body_timeout_ms), "15", 0.1, 600, NULL,
     NULL, "The longest for the body.", NULL, NULL},
    {"nonce_window", NULL, CONF_SECONDS, 0, AT(conf_axon, nonce_window_ms), "4", 0.1, 600, NULL,
     NULL, "How old a signed request may be, beside its own timeout.", NULL, NULL},
    {"nonce_future", NULL, CONF_SECONDS, 0, AT(conf_axon, nonce_future_ms), "4", 0, 600, NULL, NULL,
     "How far a caller's clock may run ahead.", NULL, NULL},
    {"max_nonces", NULL, CONF_INT, 0, AT(conf_axon, max_nonces), "65536", 16, 1e8, NULL, NULL,
     "Callers whose last nonces are remembered.", NULL, NULL},
    {"max_requests_per_ip_per_minute", NULL, CONF_INT, CONF_RELOAD,
     AT(conf_axon, max_requests_per_ip), "1200", 0, 1e6, NULL, NULL,
     "Requests that one address (IPv6: one /64) may send in a minute; more are answered 429. 0 is "
     "no limit.",
     NULL, NULL},
    {"max_requests_per_hotkey_per_minute", NULL, CONF_INT, CONF_RELOAD,
     AT(conf_axon, max_requests_per_hotkey), "300", 0, 1e6, NULL, NULL,
     "Verified requests of one hotkey in a minute; more are answered 429. 0 is no limit.", NULL,
     NULL},
};
static const struct conf_table axon_table = {axon_rows, N_ROWS(axon_rows), sizeof(struct conf_axon),
                                             "Where validators ask."};

static const struct conf_row wallet_rows[] = {
    {"path", NULL, CONF_PATH, CONF_COMMON, AT(conf_wallet, path), "~/.bittensor/wallets", 0, 0,
     NULL, "BT_WALLET_PATH", "The folder with the wallets.", NULL, NULL},
    {"name", NULL, CONF_TEXT, CONF_COMMON, AT(conf_wallet, name), "default", 0, 0, "NAME",
     "BT_WALLET_NAME", "The wallet (coldkey).", NULL, NULL},
    {"hotkey", NULL, CONF_TEXT, CONF_COMMON, AT(conf_wallet, hotkey), "default", 0, 0, "NAME",
     "BT_WALLET_HOTKEY", "The hotkey in it.", NULL, NULL},
};
static const struct conf_table wallet_table = {wallet_rows, N_ROWS(wallet_rows),
                                               sizeof(struct conf_wallet), "Who answers."};

static const struct conf_row subtensor_rows[] = {
    {"network", NULL, CONF_TEXT, CONF_COMMON, AT(conf_subtensor, network), "finney", 0, 0,
     "finney|test|archive|local|ADDRESS", "BT_SUBTENSOR_NETWORK", "The chain.", NULL, NULL},
    {"chain_endpoint", NULL, CONF_TEXT, CONF_COMMON, AT(conf_subtensor, chain_endpoint), "", 0, 0,
     "URL", "BT_SUBTENSOR_CHAIN_ENDPOINT",
     "The address of its node, or of several with commas, of which the first that answers is "
     "asked; "
     "empty is the network's own.",
     NULL, NULL},
    {"sync_interval", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_subtensor, sync_interval_ms), "300",
     1, 86400, NULL, NULL,
     "How often the miner reads its registration and the metagraph from the chain.", NULL, NULL},
    {"max_stale", NULL, CONF_SECONDS, 0, AT(conf_subtensor, max_stale_ms), "7200", 1, 2592000, NULL,
     NULL, "How old a metagraph may be and still say who is registered.", NULL, NULL},
};
static const struct conf_table subtensor_table = {subtensor_rows, N_ROWS(subtensor_rows),
                                                  sizeof(struct conf_subtensor), "Which chain."};

static const struct conf_row admin_rows[] = {
    {"ip", NULL, CONF_TEXT, CONF_COMMON, AT(conf_admin, ip), "127.0.0.1", 0, 0, "ADDRESS", NULL,
     "The address of the page and status for you.", NULL, NULL},
    {"port", NULL, CONF_INT, CONF_COMMON, AT(conf_admin, port), "8099", 0, 65535, NULL, NULL,
     "Its port; 0 is any free one.", NULL, NULL},
    {"token_env", NULL, CONF_VARIABLE, 0, AT(conf_admin, token_env), "", 0, 0, NULL, NULL,
     "The environment variable that holds the token for looking in, at least 16 characters "
     "(`openssl rand -hex 32`). Needed when `ip` is not loopback or `public_url` is set; empty "
     "asks "
     "for none.",
     "STORYFI_ADMIN_TOKEN", NULL},
    {"tls_certificate", NULL, CONF_PATH, 0, AT(conf_admin, tls_certificate), "", 0, 0, NULL, NULL,
     "A PEM file with the certificate (and its chain): the listener then speaks HTTPS alone. Read "
     "at the start.",
     NULL, NULL},
    {"tls_key", NULL, CONF_PATH, 0, AT(conf_admin, tls_key), "", 0, 0, NULL, NULL,
     "The PEM file with its key, without a password; for nobody else to read.", NULL, NULL},
    {"public_url", NULL, CONF_URL, 0, AT(conf_admin, public_url), "", 0, 0, NULL, NULL,
     "Where a proxy in front of the listener (nginx, Caddy) shows it: its name is then taken as "
     "Host and Origin.",
     "https://miner.example.org", NULL},
    {"allowed_hosts", NULL, CONF_LIST, 0, AT(conf_admin, allowed_hosts), "", 0, 0, "NAME", NULL,
     "Further names by which the listener may be asked. Always allowed are `localhost` and, where "
     "`ip` is not loopback, IP addresses.",
     "[rig.lan]", NULL},
};
static const struct conf_table admin_table = {admin_rows, N_ROWS(admin_rows),
                                              sizeof(struct conf_admin),
                                              "Where you look in: health, status, metrics."};

static const struct conf_row journal_rows[] = {
    {"path", NULL, CONF_PATH, 0, AT(conf_journal, path), "", 0, 0, NULL, NULL,
     "The database file; empty is `journal.db` in `state_dir`.", NULL, NULL},
    {"keep_days", NULL, CONF_INT, CONF_RELOAD, AT(conf_journal, keep_days), "30", 1, 36500, NULL,
     NULL, "Days that requests and answers are kept.", NULL, NULL},
    {"max_size", NULL, CONF_BYTES, CONF_RELOAD, AT(conf_journal, max_bytes), "1GiB", 1048576,
     65536 * GB, NULL, NULL, "The most it may grow to; the oldest goes first.", NULL, NULL},
};
static const struct conf_table journal_table = {journal_rows, N_ROWS(journal_rows),
                                                sizeof(struct conf_journal),
                                                "What was asked and answered."};

static const struct conf_row logging_rows[] = {
    {"info", NULL, CONF_BOOL, CONF_COMMON | CONF_TRUTHY | CONF_RELOAD, AT(conf_logging, info),
     "false", 0, 0, NULL, "BT_LOGGING_INFO", "Log what happens, not only warnings and errors.",
     NULL, NULL},
    {"debug", NULL, CONF_BOOL, CONF_COMMON | CONF_TRUTHY | CONF_RELOAD, AT(conf_logging, debug),
     "false", 0, 0, NULL, "BT_LOGGING_DEBUG", "Log more than that.", NULL, NULL},
    {"trace", NULL, CONF_BOOL, CONF_TRUTHY | CONF_RELOAD, AT(conf_logging, trace), "false", 0, 0,
     NULL, "BT_LOGGING_TRACE", "As `debug`.", NULL, NULL},
    {"format", NULL, CONF_CHOICE, CONF_COMMON, AT(conf_logging, format), "logfmt", 0, 0,
     "logfmt|json", NULL, "How a line looks.", NULL, NULL},
    {"record_log", NULL, CONF_BOOL, CONF_TRUTHY, AT(conf_logging, record_log), "false", 0, 0, NULL,
     "BT_LOGGING_RECORD_LOG", "Write the log to a file in `logging_dir` too.", NULL, NULL},
    {"logging_dir", NULL, CONF_PATH, 0, AT(conf_logging, logging_dir), "~/.bittensor/miners", 0, 0,
     NULL, "BT_LOGGING_LOGGING_DIR", "The folder for it.", NULL, NULL},
    {"file", NULL, CONF_PATH, 0, AT(conf_logging, file), "", 0, 0, NULL, NULL,
     "A file to write the log to, beside stderr; it wins over `record_log`. SIGUSR1 opens it anew "
     "(logrotate).",
     "/var/log/storyfi/miner.log", NULL},
    {"max_size", NULL, CONF_BYTES, CONF_RELOAD, AT(conf_logging, max_bytes), "64MiB", 0, 65536 * GB,
     NULL, NULL,
     "A log file that would grow over this is renamed to FILE.1 first; 0 leaves that to others.",
     NULL, NULL},
    {"keep", NULL, CONF_INT, CONF_RELOAD, AT(conf_logging, keep), "4", 0, 100, NULL, NULL,
     "Renamed log files that are kept: FILE.1, the youngest, to FILE.4.", NULL, NULL},
    {"priorities", NULL, CONF_SWITCH3, 0, AT(conf_logging, priorities), "auto", 0, 0, NULL, NULL,
     "Put the syslog priority (`<4>`) in front of lines on stderr; `auto` does when systemd's "
     "journal reads them.",
     NULL, NULL},
};
static const struct conf_table logging_table = {
    logging_rows, N_ROWS(logging_rows), sizeof(struct conf_logging), "What is said on stderr."};

static const struct conf_row deadline_rows[] = {
    {"absent", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_deadline, absent_ms), "12", 0.1, 3600, NULL,
     NULL, "The time for a request that names no timeout.", NULL, NULL},
    {"max", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_deadline, max_ms), "60", 0.1, 3600, NULL, NULL,
     "The longest time for any request.", NULL, NULL},
    {"margin", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_deadline, margin_ms), "1", 0, 600, NULL,
     NULL, "Kept back for the way to the validator: the larger of this and `margin_percent`.", NULL,
     NULL},
    {"margin_percent", NULL, CONF_REAL, CONF_RELOAD, AT(conf_deadline, margin_percent), "5", 0, 90,
     NULL, NULL, "The same as a share of the time.", NULL, NULL},
    {"target", NULL, CONF_SECONDS, CONF_RELOAD, AT(conf_deadline, target_ms), "25", 0.1, 3600, NULL,
     NULL, "When an answer should be there: validators pay full points to 30 s.", NULL, NULL},
};
static const struct conf_table deadline_table = {deadline_rows, N_ROWS(deadline_rows),
                                                 sizeof(struct conf_deadline),
                                                 "How long an answer may take."};

static const struct conf_row blacklist_rows[] = {
    {"force_validator_permit", NULL, CONF_BOOL, CONF_COMMON | CONF_RELOAD,
     AT(conf_blacklist, force_validator_permit), "false", 0, 0, NULL, NULL,
     "Answer only callers with a validator permit.", NULL, NULL},
    {"allow_non_registered", NULL, CONF_BOOL, CONF_COMMON | CONF_RELOAD,
     AT(conf_blacklist, allow_non_registered), "false", 0, 0, NULL, NULL,
     "Answer callers that are not registered on the subnet too.", NULL, NULL},
    {"min_stake", NULL, CONF_REAL, CONF_RELOAD, AT(conf_blacklist, min_stake), "0", 0, 1e12, NULL,
     NULL, "Answer only callers with at least this stake (TAO-equivalent).", NULL, NULL},
    {"when_stale", NULL, CONF_CHOICE, CONF_RELOAD, AT(conf_blacklist, when_stale), "known", 0, 0,
     "known|open|closed", NULL,
     "Who is answered when the chain could not be asked for too long: hotkeys that were registered "
     "when it last could, all who sign, or nobody.",
     NULL, NULL},
    {"allow", NULL, CONF_LIST, CONF_RELOAD, AT(conf_blacklist, allow), "", 0, 0, "SS58 address",
     NULL,
     "Hotkeys that are always answered: no other gate but `deny` holds for them. As long as it is "
     "not known who is registered (`offline`), they are the only ones.",
     NULL, NULL},
    {"deny", NULL, CONF_LIST, CONF_RELOAD, AT(conf_blacklist, deny), "", 0, 0, "SS58 address", NULL,
     "Hotkeys that are never answered.", NULL, NULL},
};
static const struct conf_table blacklist_table = {
    blacklist_rows, N_ROWS(blacklist_rows), sizeof(struct conf_blacklist), "Who is not answered."};

#define SECTION(field)                                                                             \
    {                                                                                              \
#field, NULL, CONF_SECTION, 0, AT(conf, field), "", 0, 0, NULL, NULL, NULL, NULL,          \
            &field##_table                                                                         \
    }
static const struct conf_row root_rows[] = {
    {"netuid", NULL, CONF_INT, CONF_COMMON, AT(conf, netuid), "-1", -1, 65535, NULL, "BT_NETUID",
     "The subnet; the miner needs it unless `offline`.", NULL, NULL},
    {"offline", NULL, CONF_BOOL, CONF_COMMON, AT(conf, offline), "false", 0, 0, NULL, NULL,
     "Serve without a chain.", NULL, NULL},
    {"state_dir", NULL, CONF_PATH, 0, AT(conf, state_dir), "", 0, 0, NULL, NULL,
     "The folder for what the program keeps; empty is `$XDG_STATE_HOME/storyfi` or "
     "`~/.local/state/storyfi`.",
     NULL, NULL},
    {"ca_file", NULL, CONF_PATH, 0, AT(conf, ca_file), "", 0, 0, NULL, "SSL_CERT_FILE",
     "The certificates (PEM) that other servers are trusted by, such as a company's own; empty is "
     "the system's.",
     "./config/company-ca.pem", NULL},
    SECTION(generator),
    SECTION(axon),
    SECTION(wallet),
    SECTION(subtensor),
    SECTION(admin),
    SECTION(journal),
    SECTION(logging),
    SECTION(deadline),
    SECTION(blacklist),
};
const struct conf_table conf_root = {root_rows, N_ROWS(root_rows), sizeof(struct conf), NULL};
