/* SPDX-License-Identifier: MIT */
#include "http/client.h"

#include <curl/curl.h>
#include <pthread.h>

#define HEAD_CAP 65536

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_library(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_answer_fini(struct http_answer *a)
{
    sf_buf_fini(&a->head);
    sf_buf_fini(&a->body);
}

struct sf_str http_answer_header(const struct http_answer *a, const char *name)
{
    struct sf_str rest = sf_buf_str(&a->head), line;
    while (sf_str_next(&rest, '\n', &line)) {
        size_t colon = sf_str_find(line, SF_STR(":"));
        if (colon < line.n && sf_str_is_nocase((struct sf_str){line.p, colon}, name)) {
            return sf_str_trim((struct sf_str){line.p + colon + 1, line.n - colon - 1});
        }
    }
    return (struct sf_str){"", 0};
}

static size_t collect(char *p, size_t size, size_t n, void *arg)
{
    struct sf_buf *b = arg;
    sf_buf_add(b, p, size * n);
    return b->err == SF_OK ? size * n : 0;
}

static struct curl_slist *header_list(const struct http_call *call)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < call->n_headers; i++) {
        struct sf_buf line;
        sf_buf_init(&line, 8192);
        sf_buf_printf(&line, "%.*s: %.*s", SF_STR_ARG(call->headers[i].name),
                      SF_STR_ARG(call->headers[i].value));
        list = curl_slist_append(list, sf_buf_z(&line));
        sf_buf_fini(&line);
    }
    return curl_slist_append(list, "Expect:");
}

static void set_options(CURL *c, const struct http_call *call, struct http_answer *answer,
                        const struct curl_slist *headers)
{
    sf_ms left = sf_until(call->deadline);
    (void)curl_easy_setopt(c, CURLOPT_URL, call->url);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(left < 1 ? 1 : left));
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, collect);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, &answer->head);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer->body);
    if (call->post) {
        (void)curl_easy_setopt(c, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, call->body.p);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
    }
}

static enum sf_err outcome(CURLcode code, const struct http_call *call,
                           const struct http_answer *answer, struct sf_errbuf *eb)
{
    if (code == CURLE_OK) {
        return SF_OK;
    }
    if (answer->body.err == SF_ELIMIT || answer->head.err == SF_ELIMIT) {
        return sf_fail(eb, SF_ELIMIT, "%s: answer larger than %zu bytes", call->url,
                       call->max_body_bytes);
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return sf_fail(eb, SF_EDEADLINE, "%s: no answer in time", call->url);
    }
    return sf_fail(eb, SF_ETRANSIENT, "%s: %s", call->url, curl_easy_strerror(code));
}

enum sf_err http_client_call(const struct http_call *call, struct http_answer *answer,
                             struct sf_errbuf *eb)
{
    long status = 0;
    (void)pthread_once(&once, init_library);
    answer->status = 0;
    sf_buf_init(&answer->head, HEAD_CAP);
    sf_buf_init(&answer->body, call->max_body_bytes);
    CURL *c = curl_easy_init();
    if (c == NULL) {
        return SF_ENOMEM;
    }
    struct curl_slist *headers = header_list(call);
    set_options(c, call, answer, headers);
    enum sf_err err = outcome(curl_easy_perform(c), call, answer, eb);
    (void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    curl_slist_free_all(headers);
    curl_easy_cleanup(c);
    return err;
}
