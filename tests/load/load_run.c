/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOSTILE_KEPT 60   /* connections of forgers, repeaters and strangers */
#define HOSTILE_SHORT 240 /* slow and giant ones; the oldest makes room for the next */
#define HOSTILE_ADDRESSES 60
#define CONNECTIONS (LOAD_KEYS + HOSTILE_KEPT + HOSTILE_SHORT)
#define GRACE_NS 8000000000 /* for the last answers */
#define GIANT_BYTES 120000

struct connection {
    int fd; /* -1 none */
    enum load_kind kind;
    size_t number;  /* of the caller; of hostile ones the address */
    uint64_t due;   /* good: how many should have been sent by now */
    uint64_t sent;  /* and were */
    bool waiting;   /* for an answer */
    int64_t due_ns; /* when the one waited for should have been sent */
    struct sf_buf out, in;
    size_t written;
};

struct runner {
    const struct load_plan *plan;
    struct load_result *result;
    int epoll;
    int64_t begin_ns; /* monotonic */
    struct connection all[CONNECTIONS];
    uint64_t hostile_sent;
    size_t next_short, room;
    char filler[GIANT_BYTES];
};

/* ---- connections ----------------------------------------------------------------------------- */

static void source_of(const struct runner *r, const struct connection *c, char out[static 16])
{
    if (c->kind != LOAD_GOOD) {
        (void)snprintf(out, 16, "127.0.2.%u", (unsigned)(c->number % HOSTILE_ADDRESSES) + 1);
    } else {
        (void)snprintf(out, 16, r->plan->spread ? "127.0.1.%u" : "127.0.0.1",
                       (unsigned)c->number + 1);
    }
}

static void hang_up(struct connection *c)
{
    if (c->fd >= 0) {
        (void)close(c->fd);
    }
    c->fd = -1;
    c->waiting = false;
    c->written = 0;
    sf_buf_clear(&c->out);
    sf_buf_clear(&c->in);
}

static bool dial(struct runner *r, struct connection *c)
{
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    char source[16];
    int yes = 1;
    source_of(r, c, source);
    to.sin_port = htons(r->plan->port);
    (void)inet_pton(AF_INET, r->plan->ip, &to.sin_addr);
    (void)inet_pton(AF_INET, source, &from.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok = c->fd >= 0 && bind(c->fd, (struct sockaddr *)&from, sizeof from) == 0 &&
              setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0 &&
              (connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS) &&
              epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0;
    if (!ok) {
        hang_up(c);
    }
    return ok;
}

static void flush_out(struct connection *c)
{
    while (c->fd >= 0 && c->written < c->out.n) {
        ssize_t n =
            send(c->fd, sf_buf_z(&c->out) + c->written, c->out.n - c->written, MSG_NOSIGNAL);
        if (n <= 0) {
            return; /* not now, or an error that reading will tell */
        }
        c->written += (size_t)n;
    }
}

static void start(struct runner *r, struct connection *c, int64_t due_ns)
{
    if (c->fd < 0 && !dial(r, c)) {
        return;
    }
    c->waiting = true;
    c->due_ns = due_ns;
    c->sent++;
    r->result->tally[c->kind].sent++;
    flush_out(c);
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static int64_t due_at(const struct runner *r, const struct connection *c, uint64_t k)
{
    const struct load_plan *p = r->plan;
    if (p->rate <= 0) {
        return sf_now_ns();
    }
    return r->begin_ns + (int64_t)((double)(k * p->connections + c->number) * 1e9 / p->rate);
}

static void start_good(struct runner *r, struct connection *c)
{
    const struct load_caller *who = &r->plan->callers[c->number];
    if (c->waiting || c->sent >= c->due || c->sent >= r->plan->tickets) {
        return;
    }
    sf_buf_clear(&c->out);
    c->written = 0;
    load_put_request(r->plan, who, &who->tickets[c->sent], &c->out);
    start(r, c, due_at(r, c, c->sent));
}

/* One of the first three kinds, on a connection that is kept. */
static void start_signed(struct runner *r, struct connection *c, enum load_kind kind)
{
    const struct load_plan *p = r->plan;
    SF_BUG_ON(p->connections == 0 || p->tickets == 0);
    size_t victim = (size_t)r->hostile_sent % p->connections;
    struct load_ticket ticket;
    const struct load_caller *who = &p->callers[victim];
    const struct connection *theirs = &r->all[victim];
    if (c->waiting) { /* its answer is late: the attacker does not wait for it */
        hang_up(c);
    }
    uint64_t answered = theirs->sent - (theirs->waiting ? 1 : 0);
    if (kind == LOAD_REPLAY && answered > 0) {
        ticket = who->tickets[answered - 1];
    } else if (kind == LOAD_STRANGER) { /* one of about now */
        who = &p->callers[LOAD_KEYS + victim % LOAD_STRANGERS];
        ticket = who->tickets[theirs->sent < p->tickets ? theirs->sent : p->tickets - 1];
    } else {
        kind = LOAD_FORGED;
        ticket = (struct load_ticket){.nonce = (uint64_t)sf_wall_ns()};
        sf_random(ticket.signature, sizeof ticket.signature);
        ticket.signature[31] &= 0x7f;
        ticket.signature[63] = (uint8_t)((ticket.signature[63] & 0x0fU) | 0x80U);
    }
    c->kind = kind;
    sf_buf_clear(&c->out);
    c->written = 0;
    load_put_request(p, who, &ticket, &c->out);
    start(r, c, sf_now_ns());
}

static void start_short(struct runner *r, struct connection *c, enum load_kind kind)
{
    hang_up(c);
    c->kind = kind;
    if (kind == LOAD_SLOW) {
        sf_buf_puts(&c->out, "POST /StoryGenerationSynapse HTTP/1.1\r\nHost: x\r\n"
                             "Content-Length: 4000000\r\n\r\n{\"task_type\":\"");
    } else {
        sf_buf_puts(&c->out, "POST /StoryGenerationSynapse HTTP/1.1\r\nHost: x\r\nX-Filler: ");
        sf_buf_add(&c->out, r->filler, sizeof r->filler);
    }
    start(r, c, sf_now_ns());
}

static void start_hostile(struct runner *r)
{
    enum load_kind kind = (enum load_kind)(LOAD_FORGED + r->hostile_sent % (LOAD_KINDS - 1));
    if (kind == LOAD_SLOW || kind == LOAD_GIANT) {
        struct connection *c = &r->all[LOAD_KEYS + HOSTILE_KEPT + r->next_short];
        r->next_short = (r->next_short + 1) % HOSTILE_SHORT;
        start_short(r, c, kind);
    } else {
        start_signed(r, &r->all[LOAD_KEYS + r->hostile_sent % HOSTILE_KEPT], kind);
    }
    r->hostile_sent++;
}

/* ---- what comes back ------------------------------------------------------------------------- */

/* The length of the whole answer at the start of `in`, 0 while it is not there. */
static size_t whole_answer(struct sf_str in, int *status)
{
    size_t head = sf_str_find(in, SF_STR("\r\n\r\n"));
    uint64_t length = 0, code = 0;
    if (head >= in.n || in.n < 12) {
        return 0;
    }
    struct sf_str rest = {in.p, head}, line;
    (void)sf_scan_u64((struct sf_str){in.p + 9, 3}, LOAD_STATUSES - 1, &code);
    while (sf_str_next(&rest, '\n', &line)) {
        struct sf_str name;
        if (sf_str_next(&line, ':', &name) && sf_str_is_nocase(name, "content-length")) {
            (void)sf_scan_u64(sf_str_trim(line), 1U << 24, &length);
        }
    }
    *status = (int)code;
    return in.n >= head + 4 + length ? head + 4 + (size_t)length : 0;
}

static void count_answer(struct runner *r, struct connection *c, int status)
{
    struct load_result *out = r->result;
    out->tally[c->kind].by_status[status]++;
    if (c->kind == LOAD_GOOD && status == 200 && out->n_latencies < r->room) {
        out->latency_ms[out->n_latencies++] = (double)(sf_now_ns() - c->due_ns) / 1e6;
    }
}

static void read_in(struct runner *r, struct connection *c)
{
    char piece[65536];
    ssize_t n;
    while (c->fd >= 0 && (n = recv(c->fd, piece, sizeof piece, 0)) != -1) {
        int status = 0;
        if (n == 0) {
            r->result->tally[c->kind].closed += c->waiting ? 1 : 0;
            hang_up(c);
            return;
        }
        sf_buf_add(&c->in, piece, (size_t)n);
        if (c->waiting && whole_answer(sf_buf_str(&c->in), &status) > 0) {
            c->waiting = false;
            sf_buf_clear(&c->in);
            count_answer(r, c, status);
        }
    }
    if (c->fd >= 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        r->result->tally[c->kind].closed += c->waiting ? 1 : 0;
        hang_up(c);
    }
}

/* ---- the clock ------------------------------------------------------------------------------- */

static void start_due(struct runner *r, int64_t now, bool over)
{
    const struct load_plan *p = r->plan;
    double elapsed = (double)(now - r->begin_ns) / 1e9;
    int64_t end = r->begin_ns + (int64_t)(p->seconds * 1e9), until = now < end ? now : end;
    for (size_t i = 0; i < p->connections; i++) {
        struct connection *c = &r->all[i];
        if (p->rate > 0) {
            while (c->due < p->tickets && due_at(r, c, c->due) <= until) {
                c->due++;
            }
        } else if (!over) {
            c->due = c->sent + 1;
        } else if (p->rate <= 0) {
            c->due = c->sent;
        }
        start_good(r, c);
    }
    while (!over && (double)r->hostile_sent < elapsed * p->hostile_rate) {
        start_hostile(r);
    }
}

static bool is_idle(const struct runner *r)
{
    for (size_t i = 0; i < r->plan->connections; i++) {
        if (r->all[i].waiting || (r->plan->rate > 0 && r->all[i].sent < r->all[i].due)) {
            return false;
        }
    }
    return true;
}

static void loop(struct runner *r)
{
    struct epoll_event events[128];
    int64_t end = r->begin_ns + (int64_t)(r->plan->seconds * 1e9), now = sf_now_ns();
    while (now < end || (!is_idle(r) && now < end + GRACE_NS)) {
        start_due(r, now, now >= end);
        int n = epoll_wait(r->epoll, events, 128, 1);
        for (int i = 0; i < n; i++) {
            flush_out(events[i].data.ptr);
            read_in(r, events[i].data.ptr);
        }
        now = sf_now_ns();
    }
    r->result->took_seconds = (double)(now - r->begin_ns) / 1e9;
}

void load_run(const struct load_plan *p, struct load_result *out)
{
    struct runner *r = sf_xalloc(sizeof *r);
    *out = (struct load_result){.n_latencies = 0};
    r->plan = p;
    r->result = out;
    r->room = p->tickets * p->connections;
    out->latency_ms = sf_xalloc((r->room + 1) * sizeof *out->latency_ms);
    memset(r->filler, 'a', sizeof r->filler);
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    int64_t lead = (int64_t)p->begin_ns - sf_wall_ns();
    while (lead > 0) { /* the rest of the time that signing was given */
        (void)epoll_wait(r->epoll, &(struct epoll_event){0}, 1, (int)(lead / 1000000) + 1);
        lead = (int64_t)p->begin_ns - sf_wall_ns();
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct connection *c = &r->all[i];
        c->fd = -1;
        c->kind = i < LOAD_KEYS ? LOAD_GOOD : LOAD_FORGED;
        c->number = i < LOAD_KEYS ? i : i - LOAD_KEYS;
        sf_buf_init(&c->out, 1U << 20);
        sf_buf_init(&c->in, 1U << 24);
        if (i < p->connections) {
            SF_BUG_ON(!dial(r, c));
        }
    }
    r->begin_ns = sf_now_ns();
    loop(r);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        hang_up(&r->all[i]);
        sf_buf_fini(&r->all[i].out);
        sf_buf_fini(&r->all[i].in);
    }
    (void)close(r->epoll);
    free(r);
}
