/* SPDX-License-Identifier: MIT */
#include "app/doctor_machine.h"

#include "app/hops_internal.h"
#include "base/file.h"
#include "bittensor/wallet.h"
#include "generator/machine.h"
#include "generator/provider.h"
#include "http/client.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- folders and disk ------------------------------------------------------------------------ */

/* The folder itself, or the nearest parent that is there. Caller frees; NULL: out of memory. */
static char *nearest_folder(const char *path)
{
    struct stat st;
    char *place = sf_path_join(".", path);
    while (place != NULL && stat(place, &st) != 0 && strcmp(place, "/") != 0 &&
           strcmp(place, ".") != 0) {
        char *up = sf_path_dir(place);
        free(place);
        place = up;
    }
    return place;
}

static void check_folder(struct doctor_report *r, const char *what, const char *path)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    char *place = nearest_folder(path);
    bool folder = place != NULL && stat(place, &st) == 0 && S_ISDIR(st.st_mode);
    if (!folder || access(place, W_OK | X_OK) != 0) {
        doctor_say(r, GEN_CHECK_FAIL, what,
                   "chown it to the user that runs the miner, or set another state_dir",
                   "%.150s: %s", path, folder ? strerrordesc_np(errno) : "not a folder");
    } else {
        doctor_say(r, GEN_CHECK_OK, what, "", "%.180s%s", path,
                   there ? "" : " (made at the first start)");
    }
    free(place);
}

void doctor_judge_disk(struct doctor_report *r, int64_t free_bytes, int64_t journal_bytes)
{
    char have[MACHINE_SIZE_MAX], want[MACHINE_SIZE_MAX];
    const int64_t least = INT64_C(64) << 20;
    if (free_bytes < 0) {
        doctor_say(r, GEN_CHECK_WARN, "disk for the state", "",
                   "not checked: the file system does not tell");
        return;
    }
    (void)machine_size(free_bytes, have);
    (void)machine_size(journal_bytes, want);
    doctor_say(r,
               free_bytes < least           ? GEN_CHECK_FAIL
               : free_bytes < journal_bytes ? GEN_CHECK_WARN
                                            : GEN_CHECK_OK,
               "disk for the state",
               free_bytes < journal_bytes ? "make room, or lower journal.max_size" : "",
               "%s free, the journal may take %s", have, want);
}

/* ---- ports ----------------------------------------------------------------------------------- */

/* 0: the port can be listened on; else the errno. */
static int try_port(const char *ip, int64_t port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[12];
    int yes = 1;
    (void)snprintf(service, sizeof service, "%lld", (long long)port);
    if (getaddrinfo(ip, service, &hints, &found) != 0) {
        return EINVAL;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bool ok = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 1) == 0;
    int failed = ok ? 0 : errno;
    freeaddrinfo(found);
    if (fd >= 0) {
        (void)close(fd);
    }
    return failed;
}

static const struct {
    int code;
    enum gen_verdict verdict;
    const char *text, *remedy;
} port_errors[] = {
    {EADDRNOTAVAIL, GEN_CHECK_WARN, "not an address of this machine: the miner listens on all",
     "give the public address as axon.external_ip"},
    {EADDRINUSE, GEN_CHECK_FAIL, "taken by another program",
     "ss -ltnp shows which; end it, or set another port"},
    {EACCES, GEN_CHECK_FAIL, "ports below 1024 need root", "set a port from 1024"},
    {EINVAL, GEN_CHECK_FAIL, "not an IP address", "set an address of this machine, or 0.0.0.0"},
};

static void check_port(struct doctor_report *r, const char *what, const char *ip, int64_t port,
                       const struct doctor_miner *m, bool ours)
{
    char where[96];
    (void)snprintf(where, sizeof where, "%.64s port %lld", ip, (long long)port);
    if (m->runs && ours) {
        doctor_say(r, GEN_CHECK_OK, what, "", "%s: held by our miner (process %lld)", where,
                   (long long)m->pid);
        return;
    }
    int failed = try_port(ip, port);
    if (failed == 0) {
        doctor_say(r, GEN_CHECK_OK, what, "", "%s is free", where);
        return;
    }
    for (size_t i = 0; i < sizeof port_errors / sizeof port_errors[0]; i++) {
        if (port_errors[i].code == failed) {
            doctor_say(r, port_errors[i].verdict, what, port_errors[i].remedy, "%s: %s", where,
                       port_errors[i].text);
            return;
        }
    }
    doctor_say(r, GEN_CHECK_FAIL, what, "set another port", "%s: %s", where,
               strerrordesc_np(failed));
}

/* ---- limits ---------------------------------------------------------------------------------- */

void doctor_judge_limits(struct doctor_report *r, int64_t files, int64_t core_bytes,
                         int64_t connections)
{
    int64_t need = connections + 128;
    bool few = files >= 0 && files < need;
    if (files < 0) {
        doctor_say(r, GEN_CHECK_OK, "open files", "", "no limit");
    } else {
        doctor_say(r, few ? GEN_CHECK_WARN : GEN_CHECK_OK, "open files",
                   few ? "ulimit -n 4096 before the start, or LimitNOFILE=4096 in the unit; or "
                         "lower axon.max_connections"
                       : "",
                   "%lld may be open, %lld are needed at most", (long long)files, (long long)need);
    }
    bool off = core_bytes == 0;
    doctor_say(r, off ? GEN_CHECK_OK : GEN_CHECK_WARN, "core dumps",
               off ? "" : "ulimit -c 0 before the start, or LimitCORE=0 in the unit", "%s",
               off ? "off" : "on: a crash may write keys to disk");
}

static int64_t limit_of(int resource)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return -1;
    }
    return (int64_t)limit.rlim_cur;
}

/* ---- clock ----------------------------------------------------------------------------------- */

static bool parse_date(struct sf_str date, int64_t *out)
{
    char z[64];
    struct tm tm = {.tm_sec = 0};
    (void)snprintf(z, sizeof z, "%.*s", SF_STR_ARG(date));
    const char *end = strptime(z, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    time_t t = end != NULL && *end == '\0' ? timegm(&tm) : -1;
    *out = (int64_t)t;
    return t != -1;
}

void doctor_judge_clock(struct doctor_report *r, struct sf_str date, int64_t now_seconds,
                        const char *server)
{
    static const char remedy[] = "set the clock by NTP: timedatectl set-ntp true; validators' "
                                 "requests are refused with 401 when it is off by 4 s";
    int64_t theirs;
    if (!parse_date(date, &theirs)) {
        doctor_say(r, GEN_CHECK_WARN, "clock", "", "not checked: %.100s tells no time", server);
        return;
    }
    int64_t off = now_seconds - theirs, size = off < 0 ? -off : off;
    enum gen_verdict verdict = size <= 2   ? GEN_CHECK_OK
                               : size <= 4 ? GEN_CHECK_WARN
                                           : GEN_CHECK_FAIL;
    if (verdict == GEN_CHECK_OK) {
        doctor_say(r, verdict, "clock", "", "agrees with %.120s", server);
    } else {
        doctor_say(r, verdict, "clock", remedy, "%lld s %s that of %.100s", (long long)size,
                   off < 0 ? "behind" : "ahead of", server);
    }
}

/* The first server of the configuration that answers at all, whatever it says. */
static bool ask_time(struct doctor_report *r, const char *url)
{
    struct http_answer answer;
    if (url[0] == '\0') {
        return false;
    }
    struct http_call call = {
        .url = url, .deadline = sf_after(sf_now(), 3000), .max_body_bytes = 1U << 20};
    bool reached = http_client_call(&call, &answer, NULL) == SF_OK;
    struct sf_str date = reached ? http_answer_header(&answer, "date") : (struct sf_str){"", 0};
    if (date.n > 0) {
        doctor_judge_clock(r, date, sf_wall_ns() / 1000000000, url);
    }
    bool told = date.n > 0;
    http_answer_fini(&answer);
    return told;
}

static const char *provider_url(const struct conf *conf)
{
    const struct conf_api *api = &conf->generator.api;
    const struct provider *p = provider_find(api->provider);
    if (!hops_has_api(conf)) {
        return "";
    }
    return api->endpoint[0] != '\0' ? api->endpoint : p == NULL ? "" : p->base;
}

static void check_clock(struct doctor_report *r, const struct conf *conf)
{
    const struct conf_generator *g = &conf->generator;
    bool told = ask_time(r, g->local.endpoint) ||
                (g->vllm.present && !g->vllm.spawn && ask_time(r, g->vllm.endpoint)) ||
                ask_time(r, provider_url(conf));
    for (size_t i = 0; i < g->custom.n && !told; i++) {
        told = ask_time(r, g->custom.v[i].endpoint);
    }
    if (!told) {
        doctor_say(r, GEN_CHECK_WARN, "clock", "timedatectl tells whether it is set by NTP",
                   "not checked: no endpoint is "
                   "configured and reached whose "
                   "time could be compared");
    }
}

void doctor_machine(struct doctor_report *r, const struct conf *conf, const struct doctor_miner *m)
{
    const struct conf_axon *axon = &conf->axon;
    doctor_area(r, "machine");
    check_folder(r, "state folder", conf->state_dir);
    doctor_judge_disk(r, machine_disk(conf->state_dir), conf->journal.max_bytes);
    check_port(r, "axon port", axon->ip, axon->port, m, m->axon_port == axon->port);
    check_port(r, "admin port", conf->admin.ip, conf->admin.port, m, true);
    doctor_judge_limits(r, limit_of(RLIMIT_NOFILE), limit_of(RLIMIT_CORE), axon->max_connections);
    check_clock(r, conf);
}

/* ---- wallet ---------------------------------------------------------------------------------- */

void doctor_wallet(struct doctor_report *r, const struct conf *conf)
{
    struct wallet_names w = {conf->wallet.path, conf->wallet.name, conf->wallet.hotkey};
    struct sr25519_keypair key;
    struct sf_errbuf eb = {.code = SF_OK};
    char address[SS58_MAX];
    bool open_to_others = false;
    doctor_area(r, "wallet");
    enum sf_err err = wallet_read_hotkey(&w, &key, &open_to_others, &eb);
    if (err != SF_OK) {
        doctor_say(r, GEN_CHECK_FAIL, "hotkey",
                   err == SF_ENOTFOUND ? "or name yours: --wallet.path, --wallet.name, "
                                         "--wallet.hotkey"
                                       : "read it as the user that runs the miner; the file must "
                                         "be a plain hotkey file",
                   "%.250s", sf_err_text(&eb, err));
        return;
    }
    ss58_encode(key.public_key, address);
    sr25519_wipe(&key);
    doctor_say(r, GEN_CHECK_OK, "hotkey", "", "%s (%.60s/%.60s)", address, w.name, w.hotkey);
    if (open_to_others) {
        doctor_say(r, GEN_CHECK_WARN, "permissions", "chmod 600 the hotkey file",
                   "others may read %.60s/hotkeys/%.60s", w.name, w.hotkey);
    }
}
