/* SPDX-License-Identifier: MIT */
#ifndef STORYFI_GENERATOR_H
#define STORYFI_GENERATOR_H

/* The plugin interface of storyfi: a shared library that writes stories inside the miner's process.
 *
 * Most people are better served by a script or an HTTP service (doc/generators.md): those run in
 * processes of their own. A plugin is for code that is already a library, where starting a process
 * or a socket for each request costs too much. What it means to run inside:
 *   - A crash of yours ends the miner. Nothing can be done about that here.
 *   - Your library sees the miner's memory and environment. Load only what you would run as the
 *     miner's user.
 *   - Do not call exit, change signal handlers, the locale, the working directory or the
 *     environment, or write to standard output.
 *   - What you answer is not trusted: it is bounded, parsed, and validated like everybody's.
 *
 * A plugin exports ONE object, named storyfi_generator, of the type below. The smallest one:
 *
 *     #include <storyfi/generator.h>
 *     #include <stdlib.h>
 *     #include <string.h>
 *
 *     static enum storyfi_status generate(void *self, const struct storyfi_call *call,
 *                                         struct storyfi_answer *answer)
 *     {
 *         static const char text[] = "{\"content\": {\"title\": \"…\"}}";
 *         (void)self;
 *         if (call->is_canceled(call->host))
 *             return STORYFI_CANCELED;
 *         answer->json = strdup(text);
 *         answer->n_json = sizeof text - 1;
 *         return answer->json == NULL ? STORYFI_TEMPORARY : STORYFI_OK;
 *     }
 *
 *     static void release(void *self, struct storyfi_answer *answer)
 *     {
 *         (void)self;
 *         free(answer->json);
 *     }
 *
 *     const struct storyfi_generator storyfi_generator = {
 *         .abi = STORYFI_GENERATOR_ABI,
 *         .struct_size = sizeof storyfi_generator,
 *         .name = "my-plugin",
 *         .generate = generate,
 *         .release = release,
 *     };
 *
 *     cc -shared -fPIC -o my-plugin.so my-plugin.c
 *
 * and in config/generator_config.yaml:
 *
 *     generator:
 *       mode: "custom"
 *       custom:
 *         plugin: "./my-plugin.so"
 *
 * A complete one that writes all four tasks, sends events and gives way when it is told to:
 * examples/plugin/ in the sources.
 *
 * Threads: `open` and each `generate` run on a thread that does nothing else meanwhile; that of a
 * `generate` serves later calls too, so what you keep per thread outlives the call: delete keys
 * with a destructor of yours in `close`. Up to `concurrency` calls (4 unless configured) run at
 * once on one instance; set `concurrency: 1` when you cannot have that. `event` and `is_canceled`
 * may be called from any thread of yours until `generate` returns, never after.
 *
 * A `generate` that does not return within a second after is_canceled became true is left behind:
 * the request goes to the next generator, and the plugin gets no more calls until it has returned.
 *
 * Replacing the file: write the new one beside it and rename it over the old one (`mv`, `install`).
 * Writing into a library that is loaded crashes the program that loaded it. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. A plugin built for another one is refused with a message. Members
 * are only ever added at the end of a struct; `struct_size` tells which are there. */
#define STORYFI_GENERATOR_ABI 1

/* How a call ended. What the miner does then: */
enum storyfi_status {
    STORYFI_OK = 0,           /* `answer` is filled */
    STORYFI_TEMPORARY = 1,    /* try once more, then the next generator */
    STORYFI_RATE_LIMITED = 2, /* not before `retry_after_ms` */
    STORYFI_ACCOUNT = 3,      /* refused, no money left: leave it alone for long */
    STORYFI_REFUSED = 4,      /* it will not write this story */
    STORYFI_INCOMPLETE = 5,   /* it wrote, but not a whole answer */
    STORYFI_CANCELED = 6,     /* gave way: is_canceled was true */
    STORYFI_UNUSABLE = 7 /* wrongly set up: leave it alone until the configuration is reloaded */
};

/* What happens while you write. All are optional; each one shows that work goes on, and a call
 * without any for its whole `timeout` is given up. */
enum storyfi_event_kind {
    STORYFI_EVENT_PROGRESS = 1,     /* done, total: tokens, percents, anything */
    STORYFI_EVENT_SLOT_STARTED = 2, /* path */
    STORYFI_EVENT_SLOT_TEXT = 3,    /* path; text: bytes to append there */
    STORYFI_EVENT_SLOT_DONE = 4,    /* path; text: all of it */
    STORYFI_EVENT_USAGE = 5         /* prompt_tokens, generated_tokens: so far in this call */
};

struct storyfi_event {
    uint32_t struct_size; /* sizeof(struct storyfi_event) */
    uint32_t kind;        /* enum storyfi_event_kind */
    const char *path;     /* JSON pointer into the content ("/chapters/0/title"), or NULL */
    const char *text;     /* UTF-8, or NULL */
    size_t n_text;
    int64_t done, total;
    int64_t prompt_tokens, generated_tokens;
};

/* One request. Everything is borrowed until generate returns. */
struct storyfi_call {
    uint32_t struct_size;
    uint32_t n_wanted;
    /* The documented request, UTF-8, NUL-terminated: {"user_input", "blueprint", "characters",
     * "story_arc", "chapter_ids", "task_type"}. */
    const char *request_json;
    size_t n_request_json;
    /* Of an answer that lacked something: JSON pointers still missing, and what there is. You may
     * write only these, or everything again. n_wanted 0: everything. */
    const char *const *wanted;
    const char *partial_json; /* NULL when n_wanted is 0 */
    int64_t deadline_ms;      /* milliseconds from the start of the call; later it is of no use */
    uint64_t seed;            /* answers with different seeds must differ */
    void *host;               /* hand it back to: */
    void (*event)(void *host, const struct storyfi_event *event);
    int (*is_canceled)(void *host); /* ask it at least every 50 ms; non-zero: return soon */
};

/* Your answer. */
struct storyfi_answer {
    uint32_t struct_size;
    int32_t retry_after_ms; /* with STORYFI_RATE_LIMITED; 0 unknown */
    char *json; /* {"content": {…}}, or with the story as a text: {"content": "{…}"} */
    size_t n_json;
    char error[256]; /* with anything but STORYFI_OK: why, for people, NUL-terminated */
};

struct storyfi_generator {
    uint32_t abi;         /* STORYFI_GENERATOR_ABI */
    uint32_t struct_size; /* sizeof(struct storyfi_generator) */
    const char *name;     /* model_info.name of the answers */
    const char *version;  /* model_info.version; NULL none */
    /* Called once after loading; may take its time. `settings_json`: {"dir": the configuration's
     * folder, "settings": {NAME: value}} with what stands in `env_vars`. Zero is success; else the
     * plugin is out of use with `error` as the reason, and close is not called. NULL: nothing to
     * open. */
    int (*open)(const char *settings_json, void **self, char *error, size_t n_error);
    enum storyfi_status (*generate)(void *self, const struct storyfi_call *call,
                                    struct storyfi_answer *answer);
    /* Frees answer->json of a generate that returned, whatever it returned, when it is not NULL. */
    void (*release)(void *self, struct storyfi_answer *answer);
    /* Called once before unloading, when no call is under way. Threads of yours must have ended
     * when it returns. NULL: nothing to close. */
    void (*close)(void *self);
};

/* What a plugin defines: */
extern const struct storyfi_generator storyfi_generator;

#ifdef __cplusplus
}
#endif

#endif
