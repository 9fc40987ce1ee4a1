/* SPDX-License-Identifier: MIT */
/* Plugins as they should not be, one per FAULT (cmake/examples.cmake builds each). */
#include <storyfi/generator.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WRONG_ABI = 1,
    SHORT_STRUCT,
    GARBAGE,
    ARRAY,
    HUGE_ANSWER,
    SLOW,
    DEAF,
    FAILS,
    NO_OPEN,
    EVENTS
};

static enum storyfi_status say(struct storyfi_answer *answer, const char *text)
{
    answer->json = strdup(text);
    answer->n_json = strlen(text);
    return STORYFI_OK;
}

static enum storyfi_status wait_long(const struct storyfi_call *call, int polls)
{
    for (int i = 0; i < 400 && !(polls && call->is_canceled(call->host)); i++) {
        usleep(10000);
    }
    return STORYFI_CANCELED;
}

/* Events that no host should take as they are, then an answer that is none. */
static enum storyfi_status spoil_events(const struct storyfi_call *call,
                                        struct storyfi_answer *answer)
{
    char path[300];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    const struct storyfi_event bad[] = {
        {.struct_size = 4},
        {.struct_size = sizeof bad[0], .kind = 99},
        {.struct_size = sizeof bad[0], .kind = STORYFI_EVENT_SLOT_TEXT, .path = path},
        {.struct_size = sizeof bad[0], .kind = STORYFI_EVENT_SLOT_TEXT, .path = "/a", .n_text = 9},
        {.struct_size = sizeof bad[0],
         .kind = STORYFI_EVENT_SLOT_DONE,
         .path = "/a",
         .text = "\xff\xfe",
         .n_text = 2},
        {.struct_size = sizeof bad[0], .kind = STORYFI_EVENT_USAGE, .prompt_tokens = -5},
    };
    for (int k = 0; k < 2000; k++) {
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            call->event(call->host, &bad[i]);
        }
    }
    call->event(call->host, NULL);
    return say(answer, "{\"content\": {}}");
}

static enum storyfi_status generate(void *self, const struct storyfi_call *call,
                                    struct storyfi_answer *answer)
{
    (void)self;
    switch (FAULT) {
    case GARBAGE:
        return say(answer, "once upon a time");
    case ARRAY:
        return say(answer, "{\"content\": [1, 2]}");
    case HUGE_ANSWER:
        answer->json = malloc(8U << 20);
        memset(answer->json, ' ', 8U << 20);
        answer->n_json = 8U << 20;
        return STORYFI_OK;
    case SLOW:
        return wait_long(call, 1);
    case DEAF:
        return wait_long(call, 0);
    case EVENTS:
        return spoil_events(call, answer);
    default:
        (void)snprintf(answer->error, sizeof answer->error, "the model is\nasleep");
        return STORYFI_TEMPORARY;
    }
}

static void release(void *self, struct storyfi_answer *answer)
{
    (void)self;
    free(answer->json);
}

static int open_badly(const char *settings, void **self, char *error, size_t n_error)
{
    (void)self;
    (void)snprintf(error, n_error, "no licence in %s", settings);
    return 1;
}

const struct storyfi_generator storyfi_generator = {
    .abi = FAULT == WRONG_ABI ? 7 : STORYFI_GENERATOR_ABI,
    .struct_size = FAULT == SHORT_STRUCT ? 8 : sizeof storyfi_generator,
    .name = "faulty",
    .open = FAULT == NO_OPEN ? open_badly : NULL,
    .generate = generate,
    .release = release,
};
