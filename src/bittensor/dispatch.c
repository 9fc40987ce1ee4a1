/* SPDX-License-Identifier: MIT */
#include "bittensor/dispatch.h"

#include "bittensor/scale.h"

#include <string.h>

struct words {
    enum sf_err code;
    enum dispatch_next next;
    const char *text; /* cause, and remedy */
};

/* ---------------------------------------------------------------- the runtime's errors */

#define NO_CUSTOM (-1)
#define REGISTER                                                                                   \
    "the hotkey is not registered on this subnet: register it with btcli subnet register, or "     \
    "check "                                                                                       \
    "--netuid and --subtensor.network"
#define BAD_IP                                                                                     \
    "the chain does not take this external address (255.255.255.255, loopback): set "              \
    "--axon.external_ip to the address that the world reaches this machine by"

/* One meaning, told by name after inclusion and by a custom number in the pool. */
static const struct {
    const char *name;
    int custom;
    struct words words;
} errors[] = {
    {"InvalidIpType",
     NO_CUSTOM,
     {SF_EINVAL, DISPATCH_OVER,
      "the chain takes IP types 4 and 6 only: set --axon.external_ip to "
      "an IPv4 address"}},
    {"InvalidIpAddress", 11, {SF_EINVAL, DISPATCH_OVER, BAD_IP}},
    {"InvalidPort",
     13,
     {SF_EINVAL, DISPATCH_OVER, "the chain does not take port 0: set --axon.external_port"}},
    {"HotKeyNotRegisteredInSubNet", NO_CUSTOM, {SF_ENEGATIVE, DISPATCH_OVER, REGISTER}},
    {"HotKeyNotRegisteredInNetwork", 10, {SF_ENEGATIVE, DISPATCH_OVER, REGISTER}},
    {"UidNotFound", 19, {SF_ENEGATIVE, DISPATCH_OVER, REGISTER}},
    {"NonAssociatedColdKey", 25, {SF_ENEGATIVE, DISPATCH_OVER, REGISTER}},
    {"HotKeyAccountNotExists",
     4,
     {SF_ENEGATIVE, DISPATCH_OVER,
      "the chain does not know this hotkey: register it with btcli "
      "subnet register"}},
    {"SubnetNotExists",
     3,
     {SF_ENEGATIVE, DISPATCH_OVER,
      "the chain has no such subnet: check --netuid and "
      "--subtensor.network"}},
    {"ServingRateLimitExceeded",
     12,
     {SF_ERATE, DISPATCH_WAIT,
      "the axon was announced a short while ago and the subnet limits how "
      "often: it is tried again by itself later"}},
    {"RateLimitExceeded",
     6,
     {SF_ERATE, DISPATCH_WAIT,
      "the chain limits how often this may be done: it is tried again "
      "later"}},
    {"ColdkeySwapAnnounced",
     0,
     {SF_ENEGATIVE, DISPATCH_OVER,
      "a key swap is announced for the signing account: wait until it "
      "is done, then use the new key"}},
    {"ColdkeySwapDisputed",
     21,
     {SF_ENEGATIVE, DISPATCH_OVER,
      "a disputed key swap blocks the signing account: clear the "
      "dispute with btcli"}},
    {"BalanceTooLow",
     2,
     {SF_ENEGATIVE, DISPATCH_OVER,
      "the chain wants a balance that the account has not; serving an "
      "axon is free, so this runtime has other rules: update "
      "storyfi"}},
    {"CallFiltered",
     NO_CUSTOM,
     {SF_ETRANSIENT, DISPATCH_WAIT,
      "the chain is in safe mode and takes no such call: wait, and "
      "watch the network's announcements"}},
    {"BadRequest",
     255,
     {SF_EINVAL, DISPATCH_OVER,
      "the chain refuses the request as malformed (an IP type that is "
      "neither 4 nor 6?): set --axon.external_ip to an IPv4 address, or "
      "update storyfi"}},
};
#define N_ERRORS (sizeof errors / sizeof errors[0])

/* Custom numbers that a served axon never meets; named, so that nobody has to look them up. */
static const char *const other_custom[] = {
    [1] = "StakeAmountTooLow",
    [5] = "NotEnoughStakeToWithdraw",
    [7] = "InsufficientLiquidity",
    [8] = "SlippageTooHigh",
    [9] = "TransferDisallowed",
    [14] = "ZeroMaxAmount",
    [15] = "InvalidRevealRound",
    [16] = "CommitNotFound",
    [17] = "CommitBlockNotInRevealRange",
    [18] = "InputLengthsUnequal",
    [20] = "EvmKeyAssociateRateLimitExceeded",
    [22] = "InvalidRealAccount",
    [23] = "FailedShieldedTxParsing",
    [24] = "InvalidShieldedTxPubKeyHash",
    [26] = "DelegateTakeTooLow",
    [27] = "DelegateTakeTooHigh",
};

enum sf_err dispatch_named_error(struct sf_str pallet, struct sf_str name, enum dispatch_next *next,
                                 struct sf_errbuf *eb)
{
    for (size_t i = 0; i < N_ERRORS; i++) {
        if (sf_str_is(name, errors[i].name)) {
            *next = errors[i].words.next;
            return sf_fail(eb, errors[i].words.code, "%s (%.*s.%s)", errors[i].words.text,
                           SF_STR_ARG(pallet), errors[i].name);
        }
    }
    *next = DISPATCH_OVER;
    return sf_fail(eb, SF_ESHAPE,
                   "the chain refused the transaction with %.*s.%.*s, which this program has no "
                   "words for: see the subnet's documents, or update storyfi",
                   SF_STR_ARG(pallet), SF_STR_ARG(name));
}

static enum sf_err custom_error(uint64_t number, enum dispatch_next *next, struct sf_errbuf *eb)
{
    for (size_t i = 0; i < N_ERRORS; i++) {
        if (errors[i].custom >= 0 && (uint64_t)errors[i].custom == number) {
            *next = errors[i].words.next;
            return sf_fail(eb, errors[i].words.code, "%s (%s, custom error %llu)",
                           errors[i].words.text, errors[i].name, (unsigned long long)number);
        }
    }
    *next = DISPATCH_OVER;
    const char *name =
        number < sizeof other_custom / sizeof other_custom[0] ? other_custom[number] : NULL;
    return sf_fail(eb, SF_ESHAPE,
                   "the chain refused the transaction with custom error %llu (%s), which should "
                   "not happen here: update storyfi",
                   (unsigned long long)number, name == NULL ? "unknown" : name);
}

/* ---------------------------------------------------------------- the pool's */

/* By number and, where one number has several meanings, by what the data or message holds. */
static const struct {
    int64_t code;
    const char *mark;
    struct words words;
} pool[] = {
    {1001, "", {SF_ESHAPE, DISPATCH_OVER, "the node cannot read our transaction: update storyfi"}},
    {1002,
     "",
     {SF_ESHAPE, DISPATCH_OVER,
      "the runtime failed over our transaction (its calls may "
      "have changed): update storyfi"}},
    {1010,
     "bad signature",
     {SF_ETRANSIENT, DISPATCH_RENEW,
      "the node computed another signature: its runtime, fork or "
      "clock moved on while we signed; made anew"}},
    {1010,
     "outdated",
     {SF_ETRANSIENT, DISPATCH_RENEW,
      "the transaction number was used meanwhile (does another "
      "program use this hotkey?); made anew"}},
    {1010,
     "in the future",
     {SF_ETRANSIENT, DISPATCH_RENEW,
      "the node lags behind the one that told the transaction "
      "number; made anew"}},
    {1010,
     "ancient birth block",
     {SF_ETRANSIENT, DISPATCH_RENEW,
      "the block that the transaction refers to is gone (a lagging "
      "node, or a fork); made anew"}},
    {1010,
     "pay some fees",
     {SF_ENEGATIVE, DISPATCH_OVER,
      "the chain wants a fee for this although serving an axon is "
      "free: the call did not validate. Check that the hotkey is "
      "registered on this --netuid"}},
    {1010,
     "call is not expected",
     {SF_ETRANSIENT, DISPATCH_WAIT,
      "the chain takes no such call now (safe mode?): wait, and watch "
      "the network's announcements"}},
    {1010,
     "exhaust the block limits",
     {SF_ETRANSIENT, DISPATCH_WAIT, "the blocks are full: tried again later"}},
    {1010,
     "Invalid signing address",
     {SF_ENEGATIVE, DISPATCH_OVER,
      "the chain does not take this hotkey as a signer: check it with "
      "storyfi wallet verify"}},
    {1010,
     "",
     {SF_ESHAPE, DISPATCH_OVER,
      "the node holds our transaction for invalid: update "
      "storyfi"}},
    {1011,
     "",
     {SF_ETRANSIENT, DISPATCH_RENEW,
      "the node could not check the transaction; made "
      "anew"}},
    {1012,
     "",
     {SF_ETRANSIENT, DISPATCH_RENEW,
      "the node bans this very transaction for a while; "
      "made anew"}},
    {1013, "", {SF_OK, DISPATCH_IS_THERE, ""}},
    {1014,
     "",
     {SF_ETRANSIENT, DISPATCH_WAIT,
      "another transaction of this hotkey with the same "
      "number waits already: tried again when it is "
      "through"}},
    {1015,
     "",
     {SF_ETRANSIENT, DISPATCH_RENEW, "the node sees a circle of transactions; made anew"}},
    {1016,
     "",
     {SF_ETRANSIENT, DISPATCH_WAIT,
      "the node's pool is full: tried again later, or use "
      "another --subtensor.chain_endpoint"}},
    {1018,
     "",
     {SF_ETRANSIENT, DISPATCH_WAIT,
      "the node does not take transactions for now (is it "
      "syncing?): use another --subtensor.chain_endpoint"}},
    {1019, "", {SF_ETRANSIENT, DISPATCH_RENEW, "the node cannot order the transaction; made anew"}},
    {1020,
     "",
     {SF_ETRANSIENT, DISPATCH_RENEW,
      "the node does not know the block it was asked "
      "about; made anew"}},
    {1021,
     "",
     {SF_ETRANSIENT, DISPATCH_RENEW,
      "the node keeps no transactions for later; made "
      "anew"}},
};

static bool holds(const struct rpc_error *e, const char *mark)
{
    struct sf_str data = sf_str(e->data), message = sf_str(e->message), m = sf_str(mark);
    return m.n == 0 || sf_str_find(data, m) < data.n || sf_str_find(message, m) < message.n;
}

enum sf_err dispatch_pool_error(const struct rpc_error *e, enum dispatch_next *next,
                                struct sf_errbuf *eb)
{
    static const char custom[] = "Custom error: ";
    struct sf_str data = sf_str(e->data);
    uint64_t number;
    size_t at = sf_str_find(data, SF_STR(custom));
    if (e->code == 1010 && at < data.n) {
        data.p += at + sizeof custom - 1;
        data.n -= at + sizeof custom - 1;
        if (sf_scan_u64(sf_str_trim(data), 255, &number)) {
            return custom_error(number, next, eb);
        }
    }
    for (size_t i = 0; i < sizeof pool / sizeof pool[0]; i++) {
        if (pool[i].code == e->code && holds(e, pool[i].mark)) {
            *next = pool[i].words.next;
            return pool[i].words.code == SF_OK
                       ? SF_OK
                       : sf_fail(eb, pool[i].words.code, "%s (%s %lld)", pool[i].words.text,
                                 e->data[0] == '\0' ? e->message : e->data, (long long)e->code);
        }
    }
    *next = DISPATCH_OVER;
    return sf_fail(eb, SF_ETRANSIENT, "the node refused the transaction: %s (%lld) %s", e->message,
                   (long long)e->code, e->data);
}

/* ---------------------------------------------------------------- events */

#define PHASE_APPLY 0
#define PHASE_LAST 2
#define DISPATCH_ERROR_MODULE 3
#define EVENTS_MAX 200000

static void read_failure(const struct metadata *m, struct scale_in fields,
                         struct dispatch_result *out)
{
    out->outcome = DISPATCH_FAILED;
    out->pallet = out->name = SF_STR("");
    out->kind = scale_u8(&fields);
    if (out->kind == DISPATCH_ERROR_MODULE) {
        uint8_t pallet = scale_u8(&fields), error = scale_u8(&fields);
        if (!metadata_error(m, pallet, error, &out->pallet, &out->name)) {
            out->name = SF_STR("an error that its metadata does not name");
        }
    }
}

enum sf_err dispatch_read_events(const struct metadata *m, struct sf_str events, uint32_t index,
                                 struct dispatch_result *out, struct sf_errbuf *eb)
{
    struct scale_in in = scale_in(events.p, events.n), fields;
    struct sf_str pallet, event;
    *out = (struct dispatch_result){.outcome = DISPATCH_UNKNOWN};
    size_t n = scale_vec(&in, 4);
    for (size_t i = 0; i < n && i < EVENTS_MAX && !in.failed; i++) {
        uint8_t phase = scale_u8(&in);
        uint32_t of = phase == PHASE_APPLY ? scale_u32(&in) : UINT32_MAX;
        if (phase > PHASE_LAST || !metadata_event(m, &in, &pallet, &event, &fields)) {
            break;
        }
        for (size_t k = scale_vec(&in, 32); k > 0; k--) {
            (void)scale_bytes(&in, 32); /* topics */
        }
        if (in.failed || of != index || !sf_str_is(pallet, "System")) {
            continue;
        }
        if (sf_str_is(event, "ExtrinsicSuccess")) {
            out->outcome = DISPATCH_SUCCESS;
            return SF_OK;
        }
        if (sf_str_is(event, "ExtrinsicFailed")) {
            read_failure(m, fields, out);
            return SF_OK;
        }
    }
    return scale_is_done(&in) ? SF_OK
                              : sf_fail(eb, SF_EPARSE, "the block's events are not understood");
}
