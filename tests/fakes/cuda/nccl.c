/* NCCL: every call is logged. With PRETEND_EXCHANGE the ranks of this machine really exchange their data, and a call that
   differs from the other ranks' is an error; without it a rank is alone, and hears only itself.

   A collective is a file a rank: written, then all the others' are waited for. When those of call k are all there, every
   rank has left call k - 1, whose file can go. */
#include "pretend.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS, SYSTEM_ERROR = 2, INTERNAL_ERROR = 3, INVALID_USAGE = 5, REMOTE_ERROR = 6 };
enum operation { ALL_REDUCE, BROADCAST, ALL_GATHER, REDUCE_SCATTER, REDUCE, ALL_TO_ALL, SPLIT, SEND, OPERATIONS };
static const char *const operations[] = {"all_reduce", "broadcast", "all_gather", "reduce_scatter", "reduce", "all_to_all", "split", "send"};
enum { BYTE = 1, AVERAGE = 4, MEAN_OF_MANY = 5 /* the first reduction that a caller makes */ };

typedef struct { char bytes[128]; } Id;
struct comm {
    unsigned long id;
    int rank, size;
    unsigned long calls;
    unsigned *sent, *received; /* messages so far, by peer */
    double factor;             /* of a premultiplied sum */
};
static __thread char last_error[512];

/* One collective on the wire. */
struct call {
    struct comm *comm;
    struct message head;
    const void *from;
    void *to;
    size_t bytes; /* that this rank publishes */
};

static void name_of(char *name, const struct comm *c, unsigned long call, int rank) { sprintf(name, "%lx.%lu.%d", c->id, call, rank); }

static int complain(const struct comm *c, const struct message *mine, int other, const struct message *theirs) {
    snprintf(last_error, sizeof last_error, "call %lu of group %lx: rank %d calls %s of %lu %s, rank %d calls %s of %lu %s", c->calls, c->id, c->rank,
             operations[mine->operation], (unsigned long)mine->count, type_name(mine->type), other,
             theirs ? operations[theirs->operation] : "nothing", theirs ? (unsigned long)theirs->count : 0, theirs ? type_name(theirs->type) : "");
    fprintf(stderr, "pretend NCCL: %s\n", last_error);
    return theirs ? INVALID_USAGE : REMOTE_ERROR;
}

/* What this rank takes from another's buffer. */
static void take(const struct call *call, int other, const char *data) {
    const struct comm *c = call->comm;
    size_t part = call->head.count * type_bytes(call->head.type);
    char *to = call->to;
    switch (call->head.operation) {
    case BROADCAST:
        if (other == call->head.root) memcpy(to, data, part);
        break;
    case SPLIT:
    case ALL_GATHER: memcpy(to + other * part, data, part); break;
    case ALL_TO_ALL: memcpy(to + other * part, data + c->rank * part, part); break;
    case REDUCE_SCATTER: data += c->rank * part; /* fall through */
    case ALL_REDUCE:
    case REDUCE:
        if (call->head.operation == REDUCE && c->rank != call->head.root) break;
        if (other == 0) memcpy(to, data, part);
        else reduce_into(to, data, call->head.count, call->head.type, call->head.reduction);
    }
}

/* Meet the others. The data is published before anything is taken: in-place calls are the usual ones. */
static int meet(struct call *call) {
    struct comm *c = call->comm;
    char name[64];
    name_of(name, c, c->calls, c->rank);
    if (publish(name, &call->head, call->from, call->bytes)) return SYSTEM_ERROR;
    for (int other = 0; other < c->size; other++) {
        struct message theirs;
        size_t bytes, mapped;
        name_of(name, c, c->calls, other);
        const void *data = await_message(name, &theirs, &bytes, &mapped);
        if (!data) return complain(c, &call->head, other, NULL);
        int same = !memcmp(&theirs, &call->head, sizeof theirs);
        if (same) take(call, other, data);
        release_message(data, mapped);
        if (!same) return complain(c, &call->head, other, &theirs);
    }
    if (c->calls) {
        name_of(name, c, c->calls - 1, c->rank);
        forget_message(name);
    }
    c->calls++;
    return SUCCESS;
}

/* A rank alone: its own part arrives, and the others' is whatever lay there. */
static void meet_nobody(const struct call *call) {
    size_t part = call->head.count * type_bytes(call->head.type);
    char *to = call->to;
    const char *from = call->from;
    if (setting("PRETEND_UNTOUCHED", 0) || !from) return;
    if (call->head.operation == ALL_GATHER) to += call->comm->rank * part;
    if (call->head.operation == REDUCE_SCATTER) from += call->comm->rank * part;
    if (call->head.operation == ALL_TO_ALL) part *= call->comm->size;
    if (to != from) memmove(to, from, part);
}

static int collective(struct call call, void *stream) {
    struct comm *c = call.comm;
    size_t part = call.head.count * type_bytes(call.head.type);
    int whole = call.head.operation == ALL_GATHER || call.head.operation == REDUCE_SCATTER || call.head.operation == ALL_TO_ALL;
    log_event("\"op\": \"collective\", \"call\": \"%s\", \"bytes\": %zu, \"type\": \"%s\", \"group\": \"%lx\", \"rank\": %d, \"size\": %d, \"stream\": %ld",
              operations[call.head.operation], part * (whole ? c->size : 1), type_name(call.head.type), c->id, c->rank, c->size, stream_number(stream));
    int mean = call.head.reduction == AVERAGE, premultiplied = call.head.reduction >= MEAN_OF_MANY;
    call.bytes = part * (call.head.operation == REDUCE_SCATTER || call.head.operation == ALL_TO_ALL ? c->size : 1);
    if (call.head.operation == BROADCAST && c->rank != call.head.root) call.bytes = 0;
    if (!exchange_on()) meet_nobody(&call);
    else if (meet(&call)) return INVALID_USAGE;
    if (exchange_on() && (mean || premultiplied)) scale(call.to, call.head.count, call.head.type, mean ? 1.0 / c->size : c->factor);
    return SUCCESS;
}

#define HEAD(operation, type, reduction, root, count) {operation, type, reduction, root, count}

int ncclAllReduce(const void *from, void *to, size_t count, int type, int reduction, struct comm *c, void *stream) {
    return collective((struct call){c, HEAD(ALL_REDUCE, type, reduction, 0, count), from, to, 0}, stream);
}
int ncclBroadcast(const void *from, void *to, size_t count, int type, int root, struct comm *c, void *stream) {
    return collective((struct call){c, HEAD(BROADCAST, type, 0, root, count), from, to, 0}, stream);
}
int ncclBcast(void *data, size_t count, int type, int root, struct comm *c, void *stream) {
    return ncclBroadcast(data, data, count, type, root, c, stream);
}
int ncclAllGather(const void *from, void *to, size_t count, int type, struct comm *c, void *stream) {
    return collective((struct call){c, HEAD(ALL_GATHER, type, 0, 0, count), from, to, 0}, stream);
}
int ncclReduceScatter(const void *from, void *to, size_t count, int type, int reduction, struct comm *c, void *stream) {
    return collective((struct call){c, HEAD(REDUCE_SCATTER, type, reduction, 0, count), from, to, 0}, stream);
}
int ncclReduce(const void *from, void *to, size_t count, int type, int reduction, int root, struct comm *c, void *stream) {
    return collective((struct call){c, HEAD(REDUCE, type, reduction, root, count), from, to, 0}, stream);
}
int ncclAlltoAll(const void *from, void *to, size_t count, int type, struct comm *c, void *stream) {
    return collective((struct call){c, HEAD(ALL_TO_ALL, type, 0, 0, count), from, to, 0}, stream);
}

/* Point to point: a send never waits. Inside a group receives wait for its end, when all its sends are on their way. */
struct receive { struct comm *comm; int peer; void *to; size_t bytes; };
static __thread struct receive *waiting;
static __thread int waiting_count, waiting_room, group_depth;

static void letter_name(char *name, const struct comm *c, int from, int to, unsigned number) {
    sprintf(name, "%lx.p%d-%d.%u", c->id, from, to, number);
}
static void log_letter(const char *call, struct comm *c, int peer, size_t count, int type, void *stream) {
    log_event("\"op\": \"collective\", \"call\": \"%s\", \"peer\": %d, \"bytes\": %zu, \"type\": \"%s\", \"group\": \"%lx\", \"rank\": %d, \"size\": %d, \"stream\": %ld",
              call, peer, count * type_bytes(type), type_name(type), c->id, c->rank, c->size, stream_number(stream));
}
int ncclSend(const void *from, size_t count, int type, int peer, struct comm *c, void *stream) {
    char name[64];
    struct message head = HEAD(SEND, type, 0, peer, count);
    log_letter("send", c, peer, count, type, stream);
    if (!exchange_on()) return SUCCESS;
    letter_name(name, c, c->rank, peer, c->sent[peer]++);
    return publish(name, &head, from, count * type_bytes(type)) ? SYSTEM_ERROR : SUCCESS;
}
static int receive_now(const struct receive *r) {
    char name[64];
    struct message theirs;
    size_t bytes, mapped;
    letter_name(name, r->comm, r->peer, r->comm->rank, r->comm->received[r->peer]++);
    const void *data = await_message(name, &theirs, &bytes, &mapped);
    if (!data || bytes != r->bytes) {
        snprintf(last_error, sizeof last_error, "rank %d of group %lx waits for %zu bytes from rank %d: %s", r->comm->rank, r->comm->id, r->bytes, r->peer,
                 data ? "it sent another number of them" : "nothing came");
        fprintf(stderr, "pretend NCCL: %s\n", last_error);
        return data ? INVALID_USAGE : REMOTE_ERROR;
    }
    memcpy(r->to, data, bytes);
    release_message(data, mapped);
    forget_message(name);
    return SUCCESS;
}
int ncclRecv(void *to, size_t count, int type, int peer, struct comm *c, void *stream) {
    struct receive r = {c, peer, to, count * type_bytes(type)};
    log_letter("receive", c, peer, count, type, stream);
    if (!exchange_on()) return SUCCESS;
    if (!group_depth) return receive_now(&r);
    if (waiting_count == waiting_room) waiting = realloc(waiting, (waiting_room = waiting_room ? 2 * waiting_room : 16) * sizeof *waiting);
    waiting[waiting_count++] = r;
    return SUCCESS;
}
int ncclGroupStart(void) { group_depth++; return SUCCESS; }
int ncclGroupEnd(void) {
    if (--group_depth) return SUCCESS;
    int code = SUCCESS;
    for (int i = 0; i < waiting_count && !code; i++) code = receive_now(waiting + i);
    waiting_count = 0;
    return code;
}

/* Communicators. */
static int new_comm(struct comm **made, unsigned long id, int rank, int size) {
    struct comm *c = calloc(1, sizeof *c);
    if (!c) return SYSTEM_ERROR;
    *c = (struct comm){id, rank, size, 0, calloc(size, sizeof(unsigned)), calloc(size, sizeof(unsigned)), 1};
    log_event("\"op\": \"group\", \"group\": \"%lx\", \"rank\": %d, \"size\": %d", id, rank, size);
    *made = c;
    return SUCCESS;
}
int ncclGetUniqueId(Id *id) {
    static unsigned long made;
    unsigned long number = ((unsigned long)getpid() << 20) + __sync_add_and_fetch(&made, 1);
    memset(id, 0, sizeof *id);
    memcpy(id->bytes, &number, sizeof number);
    return SUCCESS;
}
int ncclCommInitRank(struct comm **made, int size, Id id, int rank) {
    unsigned long number;
    memcpy(&number, id.bytes, sizeof number);
    return new_comm(made, number, rank, size);
}
int ncclCommInitRankConfig(struct comm **made, int size, Id id, int rank, void *config) { (void)config; return ncclCommInitRank(made, size, id, rank); }
int ncclCommInitRankScalable(struct comm **made, int size, int rank, int ids, Id *id, void *config) {
    (void)ids, (void)config;
    return ncclCommInitRank(made, size, *id, rank);
}
/* The members of a part are those of its color, in the order of their keys. A color below 0 takes no part. */
int ncclCommSplit(struct comm *parent, int color, int key, struct comm **made, void *config) {
    (void)config;
    int mine[2] = {color, key}, all[parent->size][2], rank = 0, size = 0;
    unsigned long call = parent->calls;
    memset(all, 0, sizeof all);
    if (collective((struct call){parent, HEAD(SPLIT, BYTE, 0, 0, sizeof mine), mine, all, 0}, NULL)) return INVALID_USAGE;
    *made = NULL;
    if (color < 0) return SUCCESS;
    for (int other = 0; other < parent->size; other++) {
        if (all[other][0] != color) continue;
        size++;
        rank += all[other][1] < key || (all[other][1] == key && other < parent->rank);
    }
    return new_comm(made, parent->id * 1000003 + call * 1009 + color + 1, rank, size);
}
int ncclCommDestroy(struct comm *c) { free(c->sent), free(c->received), free(c); return SUCCESS; }
int ncclCommAbort(struct comm *c) { (void)c; return SUCCESS; }
int ncclCommFinalize(struct comm *c) { (void)c; return SUCCESS; }
int ncclCommCount(const struct comm *c, int *size) { *size = c->size; return SUCCESS; }
int ncclCommUserRank(const struct comm *c, int *rank) { *rank = c->rank; return SUCCESS; }
int ncclCommGetAsyncError(struct comm *c, int *error) { (void)c; *error = SUCCESS; return SUCCESS; }
int ncclCommRegister(const struct comm *c, void *data, size_t bytes, void **handle) { (void)c, (void)data, (void)bytes; *handle = NULL; return SUCCESS; }
int ncclCommDeregister(const struct comm *c, void *handle) { (void)c, (void)handle; return SUCCESS; }
int ncclRedOpCreatePreMulSum(int *made, void *scalar, int type, int residence, struct comm *c) {
    (void)residence;
    *made = MEAN_OF_MANY;
    c->factor = type == 7 ? *(float *)scalar : 1;
    return SUCCESS;
}
int ncclRedOpDestroy(int reduction, struct comm *c) { (void)reduction, (void)c; return SUCCESS; }
int ncclGetVersion(int *version) { *version = 22907; return SUCCESS; }
const char *ncclGetErrorString(int code) { return code ? "pretend NCCL error" : "no error"; }
const char *ncclGetLastError(const struct comm *c) { (void)c; return last_error; }
