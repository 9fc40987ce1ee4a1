/* SPDX-License-Identifier: MIT */
#include "miner/admin_tls.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "bittensor/crypto.h"

#include <string.h>
#include <sys/stat.h>

#define PEM_MAX ((size_t)256 << 10)

/* The text of a PEM file that holds `wanted`. */
static enum sf_err read_pem(const char *option, const char *path, const char *wanted, char **out,
                            struct sf_errbuf *eb)
{
    struct sf_buf text;
    sf_buf_init(&text, PEM_MAX);
    enum sf_err err = sf_file_read(path, &text, eb);
    if (err != SF_OK) {
        err = sf_fail_prefix(eb, "%s", option);
    } else if (sf_str_find(sf_buf_str(&text), sf_str(wanted)) == text.n) {
        err = sf_fail(eb, SF_ECONFIG,
                      "%s: %s is no PEM file with a \"%s\": name the right file (a .der or .p12 is "
                      "turned into PEM by openssl)",
                      option, path, wanted);
    } else if (sf_str_find(sf_buf_str(&text), SF_STR("ENCRYPTED")) < text.n) {
        err = sf_fail(eb, SF_ECONFIG,
                      "%s: the key in %s has a password, which nobody can type here: take it off "
                      "(openssl pkey -in OLD -out NEW) and let only this user read the file",
                      option, path);
    }
    if (err == SF_OK) {
        *out = sf_strndup(text.p, text.n);
        err = *out == NULL ? SF_ENOMEM : SF_OK;
    }
    sf_buf_wipe(&text);
    return err;
}

enum sf_err admin_tls_read(const struct conf *conf, struct admin_tls *out, struct sf_errbuf *eb)
{
    const char *certificate = conf->admin.tls_certificate, *key = conf->admin.tls_key;
    *out = (struct admin_tls){.certificate = NULL};
    if (certificate[0] == '\0' && key[0] == '\0') {
        return SF_OK;
    }
    if (certificate[0] == '\0' || key[0] == '\0') {
        return sf_fail(
            eb, SF_ECONFIG, "admin.tls_%s is set without admin.tls_%s: TLS takes both files",
            key[0] == '\0' ? "certificate" : "key", key[0] == '\0' ? "key" : "certificate");
    }
    enum sf_err err = read_pem("admin.tls_certificate", certificate, "-----BEGIN CERTIFICATE-----",
                               &out->certificate, eb);
    if (err == SF_OK && !crypto_certificate_end(sf_str(out->certificate), &out->ends)) {
        err = sf_fail(eb, SF_ECONFIG,
                      "admin.tls_certificate: the certificate in %s is damaged: get it anew",
                      certificate);
    }
    if (err == SF_OK) {
        err = read_pem("admin.tls_key", key, "PRIVATE KEY-----", &out->key, eb);
    }
    return err;
}

void admin_tls_warn(const struct conf *conf, const struct admin_tls *t)
{
    double days = ((double)t->ends - (double)sf_wall_ns() / 1e9) / 86400;
    const char *path = conf->admin.tls_key;
    struct stat st;
    if (path[0] != '\0' && stat(path, &st) == 0 &&
        (st.st_mode & (S_IRWXG | S_IRWXO) & ~(mode_t)S_IRGRP) != 0) {
        log_event(LOG_WARN, LOG_ADMIN, "the key of the admin listener can be read by others",
                  LOG_S("file", path), LOG_S("remedy", "chmod 600 the file"));
    }
    if (t->certificate != NULL && days < 7) {
        log_event(LOG_WARN, LOG_ADMIN,
                  days < 0 ? "the admin listener's certificate has ended"
                           : "the admin listener's certificate ends soon",
                  LOG_S("file", conf->admin.tls_certificate), LOG_F("days_left", days),
                  LOG_S("remedy", "renew it and start the miner again"));
    }
}

void admin_tls_fini(struct admin_tls *t)
{
    if (t->key != NULL) {
        sf_wipe(t->key, strlen(t->key));
    }
    free(t->key), t->key = NULL;
    free(t->certificate), t->certificate = NULL;
}
