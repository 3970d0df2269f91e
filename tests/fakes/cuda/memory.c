/* Memory: a device's is host memory, mapped but not touched until something is written to it. */
#include "pretend.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };
struct range { char *start; size_t bytes; enum place place; };
static struct range *ranges; /* sorted by start */
static size_t held, room, used_bytes;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Index of the first range that starts after `address`. */
static size_t after(const char *address) {
    size_t low = 0, high = held;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges[middle].start <= address) low = middle + 1;
        else high = middle;
    }
    return low;
}

void add_range(void *start, size_t bytes, enum place place) {
    pthread_mutex_lock(&lock);
    if (held == room) ranges = realloc(ranges, (room = room ? 2 * room : 1024) * sizeof *ranges);
    size_t at = after(start);
    memmove(ranges + at + 1, ranges + at, (held++ - at) * sizeof *ranges);
    ranges[at] = (struct range){start, bytes, place};
    pthread_mutex_unlock(&lock);
}

size_t drop_range(void *start) {
    size_t bytes = 0;
    pthread_mutex_lock(&lock);
    size_t at = after(start);
    if (at && ranges[at - 1].start == start) {
        bytes = ranges[at - 1].bytes;
        memmove(ranges + at - 1, ranges + at, (held-- - at) * sizeof *ranges);
    }
    pthread_mutex_unlock(&lock);
    return bytes;
}

enum place place_of(const void *address) {
    pthread_mutex_lock(&lock);
    size_t at = after(address);
    int inside = at && (const char *)address < ranges[at - 1].start + ranges[at - 1].bytes;
    enum place place = inside ? ranges[at - 1].place : PAGEABLE;
    pthread_mutex_unlock(&lock);
    return place;
}

cudaError_t reserve_device_bytes(size_t bytes) {
    if (__sync_add_and_fetch(&used_bytes, bytes) <= device_bytes()) return cudaSuccess;
    __sync_sub_and_fetch(&used_bytes, bytes);
    return cudaErrorMemoryAllocation;
}
void release_device_bytes(size_t bytes) { __sync_sub_and_fetch(&used_bytes, bytes); }

cudaError_t cudaMalloc(void **pointer, size_t bytes) {
    bytes = (bytes + PAGE - !!bytes) / PAGE * PAGE + (bytes ? 0 : PAGE);
    if (reserve_device_bytes(bytes)) return cudaErrorMemoryAllocation;
    *pointer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (*pointer == MAP_FAILED) return cudaErrorMemoryAllocation;
    add_range(*pointer, bytes, DEVICE);
    log_event("\"op\": \"malloc\", \"bytes\": %zu", bytes);
    return cudaSuccess;
}
cudaError_t cudaFree(void *pointer) {
    size_t bytes = pointer ? drop_range(pointer) : 0;
    if (!bytes) return cudaSuccess;
    release_device_bytes(bytes);
    munmap(pointer, bytes);
    log_event("\"op\": \"free\", \"bytes\": %zu", bytes);
    return cudaSuccess;
}
cudaError_t cudaHostAlloc(void **pointer, size_t bytes, unsigned flags) {
    (void)flags;
    if (posix_memalign(pointer, PAGE, bytes ? bytes : 1)) return cudaErrorMemoryAllocation;
    add_range(*pointer, bytes, PINNED);
    log_event("\"op\": \"pin\", \"bytes\": %zu", bytes);
    return cudaSuccess;
}
cudaError_t cudaFreeHost(void *pointer) {
    if (pointer && drop_range(pointer)) free(pointer);
    return cudaSuccess;
}
cudaError_t cudaHostRegister(void *pointer, size_t bytes, unsigned flags) {
    (void)flags;
    add_range(pointer, bytes, PINNED);
    log_event("\"op\": \"pin\", \"bytes\": %zu", bytes);
    return cudaSuccess;
}
cudaError_t cudaHostUnregister(void *pointer) { drop_range(pointer); return cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total) {
    *total = device_bytes();
    *free_bytes = *total - used_bytes;
    return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *a, const void *pointer) {
    static const enum cudaMemoryType types[] = {cudaMemoryTypeUnregistered, cudaMemoryTypeHost, cudaMemoryTypeDevice};
    enum place place = place_of(pointer);
    memset(a, 0, sizeof *a);
    a->type = types[place];
    a->device = current_device();
    if (place != PAGEABLE) a->devicePointer = (void *)pointer;
    if (place == PINNED) a->hostPointer = (void *)pointer;
    return cudaSuccess;
}

static const char *direction(enum place to, enum place from) {
    if (to == DEVICE) return from == DEVICE ? "D2D" : "H2D";
    return from == DEVICE ? "D2H" : "H2H";
}
/* PRETEND_UNTOUCHED: nothing is written inside a device, so that models larger than this machine's memory can be laid out. */
static int untouched(void) { return setting("PRETEND_UNTOUCHED", 0); }

/* A blocking copy is a synchronisation too, and so is one of pageable memory, whatever it is called. */
static cudaError_t copy(void *to, const void *from, size_t bytes, const char *call, const void *stream) {
    enum place target = place_of(to), source = place_of(from);
    if (!(target == DEVICE && untouched())) memmove(to, from, bytes);
    log_event("\"op\": \"copy\", \"direction\": \"%s\", \"bytes\": %zu, \"pinned\": %s, \"call\": \"%s\", \"stream\": %ld", direction(target, source),
              bytes, target != PAGEABLE && source != PAGEABLE ? "true" : "false", call, stream_number(stream));
    return cudaSuccess;
}
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind) {
    (void)kind;
    return copy(to, from, bytes, "blocking", NULL);
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream) {
    (void)kind;
    return copy(to, from, bytes, "async", stream);
}
cudaError_t cudaMemcpyPeerAsync(void *to, int to_device, const void *from, int from_device, size_t bytes, cudaStream_t stream) {
    (void)to_device, (void)from_device;
    return copy(to, from, bytes, "async", stream);
}
cudaError_t cudaMemcpyToSymbol(const void *symbol, const void *from, size_t bytes, size_t offset, enum cudaMemcpyKind kind) {
    (void)symbol, (void)from, (void)bytes, (void)offset, (void)kind;
    return cudaSuccess;
}
cudaError_t cudaGetSymbolAddress(void **pointer, const void *symbol) { *pointer = (void *)symbol; return cudaSuccess; }
cudaError_t cudaMemsetAsync(void *pointer, int value, size_t bytes, cudaStream_t stream) {
    if (!untouched()) memset(pointer, value, bytes);
    log_event("\"op\": \"memset\", \"bytes\": %zu, \"stream\": %ld", bytes, stream_number(stream));
    return cudaSuccess;
}
cudaError_t cudaMemset(void *pointer, int value, size_t bytes) { return cudaMemsetAsync(pointer, value, bytes, NULL); }
