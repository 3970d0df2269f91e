/* Virtual memory of the driver: addresses are reserved, memory is created and mapped there (torch's expandable segments). */
#include "pretend.h"
#include <stdlib.h>
#include <sys/mman.h>

typedef int result;
typedef unsigned long long address;
enum { OK = 0, OUT_OF_MEMORY = 2, GRANULARITY = 2 << 20 };

result cuMemGetAllocationGranularity(size_t *bytes, const void *properties, int option) {
    (void)properties, (void)option;
    *bytes = GRANULARITY;
    return OK;
}
result cuMemAddressReserve(address *start, size_t bytes, size_t alignment, address wanted, unsigned long long flags) {
    (void)alignment, (void)wanted, (void)flags;
    void *found = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *start = (address)found;
    return found == MAP_FAILED ? OUT_OF_MEMORY : OK;
}
result cuMemAddressFree(address start, size_t bytes) { return munmap((void *)start, bytes) ? OUT_OF_MEMORY : OK; }

/* A handle is where its size is kept. */
result cuMemCreate(unsigned long long *handle, size_t bytes, const void *properties, unsigned long long flags) {
    (void)properties, (void)flags;
    if (reserve_device_bytes(bytes)) return OUT_OF_MEMORY;
    size_t *held = malloc(sizeof *held);
    *held = bytes;
    *handle = (unsigned long long)held;
    log_event("\"op\": \"malloc\", \"bytes\": %zu", bytes);
    return OK;
}
result cuMemRelease(unsigned long long handle) {
    size_t *held = (size_t *)handle;
    release_device_bytes(*held);
    log_event("\"op\": \"free\", \"bytes\": %zu", *held);
    free(held);
    return OK;
}
result cuMemMap(address start, size_t bytes, size_t offset, unsigned long long handle, unsigned long long flags) {
    (void)offset, (void)handle, (void)flags;
    if (mprotect((void *)start, bytes, PROT_READ | PROT_WRITE)) return OUT_OF_MEMORY;
    add_range((void *)start, bytes, DEVICE);
    return OK;
}
result cuMemUnmap(address start, size_t bytes) {
    drop_range((void *)start);
    void *found = mmap((void *)start, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return found == MAP_FAILED ? OUT_OF_MEMORY : OK;
}
result cuMemSetAccess(address start, size_t bytes, const void *descriptions, size_t count) {
    (void)start, (void)bytes, (void)descriptions, (void)count;
    return OK;
}
