/* SPDX-License-Identifier: MIT */
/* YAML, and behind the first NUL a .env text. What loads prints, and loads again as printed. */
#include "conf/conf.h"

#include "conf/yaml.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const environment[] = {"HOME=/home/me", NULL};
    const char *text = (const char *)data;
    const char *nul = size > 0 ? memchr(text, '\0', size) : NULL;
    size_t n_yaml = nul != NULL ? (size_t)(nul - text) : size;
    struct conf_source source = {.environment = environment, .no_file = true};
    source.yaml = (struct sf_str){size > 0 ? text : "", n_yaml};
    source.dotenv = nul != NULL ? (struct sf_str){nul + 1, size - n_yaml - 1} : SF_STR("");
    struct conf_diagnostics found = {0};
    const struct conf *conf = NULL, *again = NULL;
    json_t *json = NULL;
    if (conf_load(&source, &conf, &found, NULL) == SF_OK) {
        struct sf_buf out;
        struct sf_errbuf eb = {0};
        sf_buf_init(&out, 1U << 20);
        conf_print(conf, &out);
        source.dotenv = SF_STR("");
        source.yaml = sf_buf_str(&out);
        SF_BUG_ON(out.err == SF_OK && conf_load(&source, &again, NULL, &eb) != SF_OK);
        sf_buf_fini(&out);
    }
    conf_diagnostics_fini(&found);
    conf_unref(conf);
    conf_unref(again);
    if (sf_yaml_to_json((struct sf_str){size > 0 ? text : "", n_yaml}, YAML_LIMITS_DEFAULT, &json,
                        NULL) == SF_OK) {
        json_decref(json);
    }
    return 0;
}
