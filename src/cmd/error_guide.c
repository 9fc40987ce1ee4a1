/* SPDX-License-Identifier: MIT */
#include "cmd/error_guide.h"

/* Every error but SF_OK, in the order of the error table. */
static const struct row {
    enum sf_err code;
    const char *cause, *remedy;
} rows[] = {
    {SF_EINVAL,
     "An option, a field of a request or a chapter's number is outside of what it takes.",
     "The text names the field and its range. A validator's request that gets it is the "
     "validator's "
     "mistake."},
    {SF_EPARSE, "JSON, YAML, a key file or a header is not what its format says.",
     "The text names place and reason. For a key file: `storyfi wallet verify`."},
    {SF_ELIMIT, "Larger than it may be: a request's body, a file, an answer.",
     "The text names the limit. For a script's answer: `custom.max_output`."},
    {SF_ECONFIG,
     "The configuration has a mistake, or asks for what this machine has not (a GPU, a library).",
     "`storyfi config check` names file, line and the nearest known key; `storyfi doctor` looks at "
     "the machine."},
    {SF_ENOMEM, "Memory could not be had.",
     "A smaller model, fewer `sequences` or a smaller `context`; end what else runs; "
     "`storyfi models recommend`."},
    {SF_EIO, "A file, disk or socket failed.",
     "The text names it and the system's reason: free room, correct the owner, look at the disk."},
    {SF_EAUTH,
     "A caller's signature, hotkey or timing does not hold; or a wrong password of a key file.",
     "One validator only: its mistake, or an attacker. All of them: this machine's clock "
     "(`timedatectl`), or the axon runs with another hotkey than the chain has "
     "(`storyfi doctor --network`)."},
    {SF_EREPLAY, "A request came a second time, or is too old.",
     "Nothing, if seldom. Often from everybody: the clock (`timedatectl`)."},
    {SF_EFORBIDDEN, "The caller is not registered, is denied, or has too little stake.",
     "As configured in `blacklist`. If it should be let in: `blacklist.allow`, or a fresher "
     "metagraph (`storyfi status`)."},
    {SF_ENOTFOUND, "What was named is not there: a request's number, a file, a route, a subnet.",
     "The text names it; `storyfi history` lists numbers, `storyfi models list` models."},
    {SF_EMETHOD, "A route was asked with the wrong HTTP method.", "The text names the right one."},
    {SF_EBUSY, "The queue is full, or no thread or slot is free.",
     "More is asked than is answered: a faster model, `axon.max_workers`, another generator in "
     "`fallback`."},
    {SF_EDEADLINE, "The time that the caller gave was over.",
     "`storyfi trail ID` shows where it went: waiting, the first generator, the fallback. "
     "`storyfi bench` tells what this machine can do."},
    {SF_ECANCELED, "Nobody wants the answer any more: the caller left, or the miner ends.",
     "Nothing."},
    {SF_EUNAVAILABLE,
     "No generator can answer now: starting, resting after failures, or refused for lack of time.",
     "`storyfi status` has the reason of each; `storyfi doctor` checks them alone."},
    {SF_ETRANSIENT, "A connection broke, a server answered 5xx, a node of the chain was silent.",
     "It is tried again and at the next target. If it stays: the text names the address."},
    {SF_ERATE, "A provider or a node limits its callers.",
     "It is left alone as long as it says. A larger plan at the provider, "
     "lower `api.limits`, a node of your own."},
    {SF_EACCOUNT, "A provider refuses the account: wrong key, no credit.",
     "Correct the key in `.env`, pay, then `storyfi doctor --mode api` and SIGHUP."},
    {SF_ESHAPE, "A server does not take the form of our request.",
     "A simpler form is tried by itself. If it ends with this: another model or provider; for the "
     "chain: a newer storyfi."},
    {SF_EMODEL, "A model is not there, damaged, or unknown to the server.",
     "`storyfi models verify`, `storyfi models pull NAME`; for a server the model's name."},
    {SF_ECONTENT, "A provider's filter refused the story.",
     "The next generator is asked. If it is frequent: another provider, or a local model."},
    {SF_EINCOMPLETE, "An answer lacked something or was cut, also after it was asked for again.",
     "`storyfi trail ID` names the fields. For a script: `storyfi score FILE --task T`; for a "
     "provider a larger `max_tokens`."},
    {SF_ESLOW, "No progress for too long, or under the speed that is needed.",
     "The next generator is asked. If it is frequent: a smaller model, `storyfi bench`."},
    {SF_ECRASH, "The engine or a script's process died.",
     "Its last words are in the log. Memory (`dmesg`), driver, a broken model file "
     "(`storyfi models verify`)."},
    {SF_EINTERNAL, "Something happened that should not.",
     "Please report it, with the log line and `storyfi version`."},
    {SF_ENEGATIVE, "The question was answered with no: not registered, not valid, not reached.",
     "What the text says."},
    {SF_ETOOMANY, "A caller asks more often than it may.",
     "As configured in `axon.max_requests_per_…_per_minute`."},
};

static const char *breaker_text(enum sf_breaker_effect b)
{
    static const char *const texts[] = {
        [SF_BREAKER_NONE] = "not counted",
        [SF_BREAKER_SOFT] = "counts half",
        [SF_BREAKER_COUNT] = "counts",
        [SF_BREAKER_BENCH] = "rests as long as it says",
        [SF_BREAKER_ACCOUNT] = "the whole account rests",
        [SF_BREAKER_RELOAD] = "out until the next reload",
    };
    return texts[b];
}

static void print_row(struct sf_buf *out, const struct row *r)
{
    const struct sf_err_info *info = sf_err_info(r->code);
    sf_buf_printf(out, "### %s\n\n`%s`: HTTP %d, exit code %d.\n\n", info->text, info->name,
                  info->http_status, info->exit_code);
    sf_buf_printf(out, "**Cause**: %s\n\n**Remedy**: %s\n\n", r->cause, r->remedy);
    if (info->next_target || info->same_target_again) {
        sf_buf_printf(out, "**In the chain**: %s; at the breaker: %s.\n\n",
                      info->same_target_again && info->next_target
                          ? "the same generator may be asked again, then the next one"
                      : info->same_target_again ? "the same generator may be asked again"
                                                : "the next generator is asked",
                      breaker_text(info->breaker));
    }
}

void error_guide_markdown(struct sf_buf *out)
{
    sf_buf_puts(
        out, "# Errors\n\nEvery error that `storyfi` knows, with its name in logs and journal "
             "(`code=`), what a validator sees, and what a\ncommand exits with. The text of an "
             "error begins with the particular; this is the general behind it. Made by `storyfi\n"
             "config errors` from the program's own table.\n\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_row(out, &rows[i]);
    }
}
