/* SPDX-License-Identifier: MIT */
#ifndef SF_CONF_CONF_H
#define SF_CONF_CONF_H

#include "base/clock.h"
#include "json/json.h"

/* One loaded configuration: an immutable, reference-counted snapshot. A request keeps the one it
 * started with; a reload makes another and swaps the pointer.
 *
 * Every string is there: "" means not set. Keys in seconds are held in milliseconds (_ms), sizes in
 * bytes. Names, defaults, ranges and meanings: doc/config.md, made from conf/table.c. Paths have
 * "~" put in and are otherwise as written; what is relative is meant from the working directory,
 * then from `dir`. */

struct conf_strings {
    const char *const *v;
    size_t n;
    bool set; /* named somewhere, if only as an empty list */
};

struct conf_pair {
    const char *name;
    const char *value;
};

struct conf_pairs {
    const struct conf_pair *v;
    size_t n;
    bool set;
};

/* generator.local: our own engine. */
struct conf_local {
    bool present;             /* the section is in the file, or one of its keys set elsewhere */
    const char *model_name;   /* "default", a catalogue or Hugging Face name, or a .gguf path */
    const char *device;       /* "auto" "cpu" "cuda" "cuda:N" */
    const char *quantization; /* "4bit" "8bit" "none" or a GGUF type */
    int64_t max_memory_bytes; /* 0 no limit */
    int use_flash_attention;  /* -1 the engine decides, 0 off, 1 on */
    int64_t context_tokens;   /* 0 the engine decides; so for sequences and threads */
    int64_t sequences;
    int64_t threads;
    int64_t n_gpu_layers; /* -1 all that fit */
    const char *models_dir;
    int64_t models_max_bytes;        /* of all files there; 0 no limit */
    const char *hub_endpoint;        /* "": HF_ENDPOINT, else https://huggingface.co */
    struct conf_strings hub_mirrors; /* asked when the endpoint does not answer; get no token */
    bool auto_download;              /* a missing model is pulled while the miner runs */
    bool auto_tune;                  /* models pull measures other layouts of the weights */
    const char *catalogue;           /* a models.yaml of one's own; "" the built-in one alone */
    const char *engine_path;         /* the helper program; "" beside this one */
    const char *lib_dir;             /* libllama's folder; "" where installed */
    double temperature;
    double top_p;
    const char *endpoint;    /* another machine's `storyfi serve` */
    const char *api_key_env; /* names the token for it */
    sf_ms stall_timeout_ms;
    sf_ms load_timeout_ms;
    int64_t prefix_cache_bytes; /* 0 the engine decides */
    const char *compose;        /* "waves" "sequential" */
};

/* generator.vllm: an OpenAI-compatible vLLM server, remote or started by us. */
struct conf_vllm {
    bool present;
    const char *endpoint;
    const char *model_name;
    const char *api_key_env;
    bool spawn;
    const char *command;
    int64_t tensor_parallel_size;
    double gpu_memory_utilization;
    int64_t max_model_len; /* 0 the model's own */
    const char *quantization;
    const char *dtype;
    double temperature;
    double top_p;
    int64_t max_tokens;
    sf_ms timeout_ms;
};

/* generator.custom: one (a map in the file) or several (a list). */
struct conf_custom {
    const char *name; /* "custom" unless told */
    const char *plugin;
    const char *script_path;
    const char *endpoint;
    const char *api_key_env;
    struct conf_pairs env_vars; /* ${NAME} already put in; values are secret */
    sf_ms timeout_ms;
    int64_t max_output_bytes;
    int64_t concurrency; /* scripts or calls at once */
};

struct conf_custom_list {
    const struct conf_custom *v;
    size_t n;
    bool set;
};

struct conf_api_limits {
    int64_t requests_per_hour; /* 0 none */
    double cost_per_day;       /* US dollars, 0 none */
};

struct conf_api_price {
    double input; /* US dollars a million tokens; -1 the catalogue's */
    double output;
};

struct conf_api;
struct conf_api_list {
    const struct conf_api *v;
    size_t n;
    bool set;
};

/* generator.api, and each of its `fallbacks`. */
struct conf_api {
    bool present;            /* the section is in the file, or one of its keys set elsewhere */
    const char *name;        /* "" = provider */
    const char *provider;    /* "openai" "gemini" "anthropic" "custom" */
    const char *api_key_env; /* the provider's usual one when not set; "" only for "custom" */
    const char *model;       /* "" the provider's catalogued cheap one */
    const char *endpoint;    /* "" the provider's own */
    double temperature;
    int64_t max_tokens; /* 0 as the task needs */
    sf_ms timeout_ms;   /* without progress; 0 generator.chain.progress_timeout */
    int64_t concurrency;
    struct conf_api_limits limits;
    struct conf_api_price price;
    struct conf_api_list fallbacks; /* empty inside a fallback */
};

/* generator.chain: the numbers of retry, breaker and probes. */
struct conf_chain {
    sf_ms progress_timeout_ms;
    sf_ms reserve_ms; /* for each generator behind the one at work */
    double min_tokens_per_second;
    sf_ms min_tokens_window_ms;
    sf_ms retry_jitter_min_ms;
    sf_ms retry_jitter_max_ms;
    int64_t breaker_failures;
    int64_t breaker_window;
    int64_t breaker_min_samples;
    double breaker_share;
    sf_ms breaker_open_ms;
    sf_ms breaker_open_max_ms;
    sf_ms account_open_ms;
    sf_ms rate_limit_bench_ms;
    sf_ms probe_interval_ms;
};

struct conf_generator {
    const char *mode;             /* a kind, "auto", or the name of a custom generator */
    struct conf_strings fallback; /* !set: whatever else is configured */
    const char *template_dir;
    sf_ms hedge_after_ms; /* 0 off */
    struct conf_chain chain;
    struct conf_local local;
    struct conf_vllm vllm;
    struct conf_custom_list custom;
    struct conf_api api;
};

struct conf_axon {
    const char *ip;
    int64_t port; /* 0 any free one */
    const char *external_ip;
    int64_t external_port; /* 0 as port */
    struct conf_strings external_ip_services;
    sf_ms external_ip_interval_ms;
    int64_t max_workers;
    int64_t queue_size;
    int64_t max_body_bytes;
    int64_t max_connections;
    int64_t max_connections_per_ip;
    sf_ms head_timeout_ms;
    sf_ms body_timeout_ms;
    sf_ms nonce_window_ms;
    sf_ms nonce_future_ms;
    int64_t max_nonces;
    int64_t max_requests_per_ip;     /* a minute; 0 no limit, so for hotkeys */
    int64_t max_requests_per_hotkey; /* verified ones */
};

struct conf_wallet {
    const char *path;
    const char *name;
    const char *hotkey;
};

struct conf_subtensor {
    const char *network;
    const char *chain_endpoint; /* "" by network */
    sf_ms sync_interval_ms;
    sf_ms max_stale_ms;
};

struct conf_admin {
    const char *ip;
    int64_t port;                      /* 0 any free one */
    const char *token_env;             /* names the token; "" none is asked for */
    const char *tls_certificate;       /* "" no TLS */
    const char *tls_key;               /* set together with it */
    const char *public_url;            /* of a proxy in front; "" none */
    struct conf_strings allowed_hosts; /* further names to be asked by */
};

struct conf_journal {
    const char *path; /* never "": journal.db in state_dir unless told */
    int64_t keep_days;
    int64_t max_bytes;
};

struct conf_logging {
    bool info;
    bool debug;
    bool trace;
    const char *format; /* "logfmt" "json" */
    bool record_log;
    const char *logging_dir;
    const char *file;  /* "" none */
    int64_t max_bytes; /* of one file; 0 no limit */
    int64_t keep;
    int priorities; /* -1 when journald reads, 0 off, 1 on */
};

struct conf_deadline {
    sf_ms absent_ms; /* a request without a timeout header */
    sf_ms max_ms;
    sf_ms margin_ms; /* the larger of this and margin_percent */
    double margin_percent;
    sf_ms target_ms;
};

struct conf_blacklist {
    bool force_validator_permit;
    bool allow_non_registered;
    double min_stake;       /* TAO-equivalent; 0 none */
    const char *when_stale; /* "known" "open" "closed" */
    struct conf_strings allow;
    struct conf_strings deny;
};

struct conf_internal;
struct conf {
    int64_t netuid; /* -1 not given */
    bool offline;
    const char *state_dir; /* never "" */
    const char *ca_file;   /* "" the system's */
    struct conf_generator generator;
    struct conf_axon axon;
    struct conf_wallet wallet;
    struct conf_subtensor subtensor;
    struct conf_admin admin;
    struct conf_journal journal;
    struct conf_logging logging;
    struct conf_deadline deadline;
    struct conf_blacklist blacklist;

    const char *file; /* the YAML file that was read, "" none */
    const char *dir;  /* its folder, "." without a file */
    struct conf_internal *internal;
};

/* ------------------------------------------------------------------ loading */

enum conf_level { CONF_NOTE, CONF_WARNING, CONF_ERROR };

struct conf_diagnostic {
    enum conf_level level;
    char
        where[160]; /* "config/generator_config.yaml:12", ".env:3", "BT_AXON_PORT", "--axon.port" */
    char key[96];   /* "generator.local.device"; "" not about one key */
    char text[384]; /* cause and remedy; never holds a secret */
};

/* What a load had to say, in the order found. Zeroed by the caller, freed with _fini. */
struct conf_diagnostics {
    struct conf_diagnostic *v;
    size_t n;
    size_t n_errors;
    size_t n_dropped; /* over the limit of 200 */
};
void conf_diagnostics_fini(struct conf_diagnostics *d);

/* One option set on the command line: "axon.port" ("--" in front is fine), "8091"; a switch may
 * have a NULL value. */
struct conf_setting {
    const char *key;
    const char *value;
};

#define CONF_MAX_SETTINGS 128
/* Where a configuration comes from; zeroed means: search for the file, the process's environment,
 * no flags. Everything is borrowed for the call of conf_load only. */
struct conf_source {
    const char *config_path;        /* --config; NULL: the search order */
    bool no_file;                   /* read neither a YAML nor a .env file */
    struct sf_str yaml;             /* with p: taken instead of any YAML file */
    struct sf_str dotenv;           /* with p: taken instead of any .env file */
    bool strict;                    /* unknown keys are errors (`config check`), not warnings */
    const char *const *environment; /* "NAME=value", NULL at the end; NULL: the process's own */
    const char *cwd;                /* for the search and .env; NULL: "." */
    struct conf_setting settings[CONF_MAX_SETTINGS]; /* flags, later wins */
    size_t n_settings;
};

/* Loads: defaults, file, .env, environment, flags; later wins. All findings go to `diagnostics`
 * (may be NULL), the first error to `eb` also. On failure *out is untouched. Errors: SF_ECONFIG,
 * SF_ENOTFOUND (--config names no file), SF_EPARSE, SF_ELIMIT, SF_EIO, SF_ENOMEM.
 * The caller owns one reference of *out. Reads files, writes nothing, logs nothing. Thread-safe. */
SF_MUST_USE enum sf_err conf_load(const struct conf_source *source, const struct conf **out,
                                  struct conf_diagnostics *diagnostics, struct sf_errbuf *eb);

const struct conf *conf_ref(const struct conf *conf);
void conf_unref(const struct conf *conf); /* NULL is fine; the last one wipes and frees */

/* Writes what `diagnostics` holds to the log (warnings and errors as such). */
void conf_diagnostics_log(const struct conf_diagnostics *d);

/* ------------------------------------------------------------------ asking */

/* A variable as the configuration saw it (environment before .env); NULL when absent. Borrowed. */
const char *conf_env(const struct conf *conf, const char *name);

/* The secret in the variable `name`: NULL when it is absent, empty or a placeholder
 * ("sk-your-key-here"). Borrowed; never to be printed. */
const char *conf_secret(const struct conf *conf, const char *name);

/* Where the value of `key` comes from: "default", "FILE:LINE", ".env:LINE", "environment NAME",
 * "flag --NAME". Never NULL; borrowed. */
const char *conf_origin(const struct conf *conf, const char *key);

/* The effective configuration as YAML with the origin behind each line; secrets masked. */
void conf_print(const struct conf *conf, struct sf_buf *out);
/* The same as {"file", "options":[{"key","value","origin","default","reload","secret","doc"}]};
 * NULL: out of memory. Caller owns. */
json_t *conf_to_json(const struct conf *conf);

/* doc/config.md, and the commented example file, from the table. */
void conf_doc_markdown(struct sf_buf *out);
/* The description and the keys of generator_config.yaml(5), behind the page's head. */
void conf_man(struct sf_buf *out);
void conf_example(struct sf_buf *out);
void conf_example_env(struct sf_buf *out);

/* Every option outside of lists of records is a flag: its key with "--" in front. */
struct conf_flag {
    const char *key;   /* "axon.port" */
    const char *value; /* "N" "PATH" "a|b" …; NULL: a switch */
    const char *env;   /* "BT_AXON_PORT" or NULL */
    const char *help;  /* one sentence */
    bool common;       /* worth a line in --help; all are in doc/config.md */
};
typedef void (*conf_flag_fn)(void *arg, const struct conf_flag *flag);
void conf_flags(conf_flag_fn fn, void *arg);
/* Whether `flag` ("--axon.port") is one, and whether it takes a value (a switch may: `--x=false`).
 */
bool conf_flag_find(struct sf_str flag, bool *takes_value);

/* Calls `fn` for each option that differs; `reload` says whether a running miner takes it over. */
typedef void (*conf_diff_fn)(void *arg, const char *key, bool reload);
void conf_diff(const struct conf *before, const struct conf *after, conf_diff_fn fn, void *arg);

#endif
