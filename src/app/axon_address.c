/* SPDX-License-Identifier: MIT */
#include "app/axon_address.h"

#include "bittensor/external_ip.h"
#include "bittensor/synapse.h"

#define AXON_PROTOCOL 4 /* as the SDK sends it */

void axon_text(const struct axon_info *a, char out[static AXON_TEXT_MAX])
{
    char ip[AXON_IP_MAX];
    axon_ip_print(a, ip);
    bool six = a->ip_type == 6;
    out[0] = '\0';
    if (ip[0] != '\0') {
        (void)snprintf(out, AXON_TEXT_MAX, "%s%s%s:%u", six ? "[" : "", ip, six ? "]" : "",
                       a->port);
    }
}

static enum sf_err read_given(const char *text, struct axon_info *out, struct sf_errbuf *eb)
{
    enum sf_err err = axon_ip_parse(text, out, eb);
    if (err == SF_OK && external_ip_kind(out) == IP_UNSPECIFIED) {
        err = sf_fail(eb, SF_EINVAL,
                      "--axon.external_ip %s says to the network that nobody serves: give the "
                      "address that validators reach this machine by",
                      text);
    }
    return err;
}

enum sf_err axon_address_find(const struct conf *conf, struct sf_time deadline,
                              const atomic_bool *cancel, struct axon_info *out,
                              struct sf_errbuf *eb)
{
    const struct conf_axon *axon = &conf->axon;
    const struct conf_strings *own = &axon->external_ip_services;
    int64_t port = axon->external_port != 0 ? axon->external_port : axon->port;
    *out = (struct axon_info){
        .version = SYNAPSE_VERSION, .port = (uint16_t)port, .protocol = AXON_PROTOCOL};
    if (axon->external_ip[0] != '\0') {
        return read_given(axon->external_ip, out, eb);
    }
    return external_ip_find(
        &(struct external_ip_question){.services = own->n > 0 ? own->v : external_ip_services,
                                       .n = own->n > 0 ? own->n : external_ip_n_services,
                                       .deadline = deadline,
                                       .cancel = cancel},
        out, eb);
}

void axon_register_command(const struct conf *conf, char out[static AXON_COMMAND_MAX])
{
    const struct conf_subtensor *s = &conf->subtensor;
    struct sf_str rest = sf_str(s->chain_endpoint), first = {"", 0};
    bool given = sf_str_next(&rest, ',', &first); /* btcli takes one */
    first = given ? sf_str_trim(first) : sf_str(s->network);
    (void)snprintf(out, AXON_COMMAND_MAX,
                   "btcli subnet register --netuid %lld --wallet.name %.80s --wallet.hotkey %.80s "
                   "--network %.*s",
                   (long long)conf->netuid, conf->wallet.name, conf->wallet.hotkey,
                   (int)(first.n < 200 ? first.n : 200), first.p);
}
