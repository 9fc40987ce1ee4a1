/* SPDX-License-Identifier: MIT */
#ifndef SF_GENERATOR_PLUGIN_H
#define SF_GENERATOR_PLUGIN_H

#include "generator/generator.h"

/* The owner's own shared library, by include/storyfi/generator.h. It runs in this process: what it
 * gives is checked, what it breaks is broken. A call that does not give way is left behind. */
struct plugin_options {
    const char *path; /* as configured */
    const char *dir;  /* a relative path is looked up from the working directory, then from here */
    json_t *settings; /* object: what the configuration hands to its `open`; borrowed */
    sf_ms timeout_ms;
    size_t max_output_bytes;
    int64_t concurrency;
};

extern const struct generator_type generator_plugin;

#endif
