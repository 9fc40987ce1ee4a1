/* SPDX-License-Identifier: MIT */
/* A catalogue of somebody's, a hub's list of files, the state of a download: by the first byte. */
#include "app/model_catalogue.h"
#include "app/model_hub.h"
#include "app/model_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sf_str text = {(const char *)data + 1, n > 0 ? n - 1 : 0};
    struct sf_errbuf eb = {0};
    struct model_catalogue c;
    struct model_part part;
    struct hub_files files;

    if (n == 0) {
        return 0;
    }
    if (data[0] == 'h') {
        (void)(hub_parse_list(text, &files, &eb) == SF_OK);
        for (size_t i = 0; i < files.n; i++) {
            SF_BUG_ON(!model_is_file_name(model_base_name(files.v[i].path)));
        }
        hub_files_fini(&files);
    } else if (data[0] == 'p') {
        SF_BUG_ON(model_part_parse_state(text, &part) && model_part_done(&part) > part.total);
    } else if (model_catalogue_parse(text, &c, &eb) == SF_OK) {
        for (size_t i = 0; i < c.n; i++) {
            SF_BUG_ON(model_catalogue_find(&c, c.v[i].names[0]) == NULL || c.v[i].n_files == 0);
        }
        model_catalogue_fini(&c);
    } else {
        SF_BUG_ON(eb.text[0] == '\0');
    }
    return 0;
}
