/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_PLUGIN_CALL_H
#define SF_GENERATOR_PLUGIN_CALL_H

#include "generator/generator.h"
#include "generator/plugin_hands.h"
#include "storyfi/generator.h"

/* A loaded plugin, kept by whoever may still run its code: the opened generator, its opening, and
 * each call. The last one closes and unloads it. */
struct plugin_library {
    atomic_int refs;
    struct plugin_hands hands;
    atomic_int wedged; /* calls left behind that have not returned */
    const struct storyfi_generator *api;
    void *handle; /* of the loader */
    void *self;
    bool opened; /* its `open` said yes: `close` is due */
    void (*unload)(void *handle);
};
void plugin_library_init(struct plugin_library *l); /* with one reference */
void plugin_library_ref(struct plugin_library *l);
void plugin_library_unref(struct plugin_library *l);

/* One call of its generate, on a thread that does nothing else meanwhile; events come back on the
 * calling thread. `text` gets the answer's JSON (its cap is the limit). A call that does not return
 * within a second of being told to is left behind (`wedged` counts it): SF_ESLOW or SF_ECANCELED
 * all the same. */
SF_MUST_USE enum sf_err plugin_call(struct plugin_library *l, const struct gen_call *call,
                                    struct sf_time deadline, struct sf_buf *text,
                                    struct sf_errbuf *eb);

#endif
