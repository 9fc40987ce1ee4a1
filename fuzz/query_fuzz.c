/* SPDX-License-Identifier: MIT */
/* What callers put behind '?' and into Cookie, Host and Origin: what is found lies within, fits,
 * and holds no NUL. */
#include "fuzz.h"
#include "miner/query.h"
#include "miner/trusted_host.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const names[] = {"rig.lan"};
    const struct trusted_hosts hosts = {
        .any_address = true, .public_url = "https://a.b/c", .names = names, .n_names = 1};
    struct sf_str text = fuzz_text(data, n, 0), cookie = cookie_value(text, "s");
    struct http_request r = {.headers = {{SF_STR("host"), text}, {SF_STR("origin"), text}},
                             .n_headers = 2};
    char out[16];

    memset(out, 'x', sizeof out);
    bool found = query_argument(text, "q", out, sizeof out);
    SF_BUG_ON(memchr(out, '\0', sizeof out) == NULL || (!found && out[0] != '\0'));
    SF_BUG_ON(cookie.n > 0 && (cookie.p < text.p || cookie.p + cookie.n > text.p + text.n));
    SF_BUG_ON(trusted_host(&hosts, text) && n == 0);
    (void)trusted_request(&hosts, &r);
    return 0;
}
