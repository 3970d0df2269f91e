/* A libnvidia-ml.so.1 without a GPU: the functions that Trainwright calls, over a state that a test maps and changes.
   Every function counts its calls, and fails, or is slow, where the test's fault says so. */
#include "fake.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef void *handle;
enum code { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, DRIVER_NOT_LOADED = 9, LOST = 15 };
enum function { INIT, SHUTDOWN, COUNT, BY_INDEX, BY_UUID, GET_UUID, ENERGY, POWER, LIMIT, ENFORCED, RANGE, DEFAULT, SET_LIMIT, MIG_PARENT, CLOCK, MAX_CLOCK, TEMPERATURE, MEMORY, THROTTLE };

static struct state *state;

static int attach(void) {
    const char *path = getenv("FAKE_NVML");
    int file = path ? open(path, O_RDWR) : -1;
    if (file < 0) return 0;
    state = mmap(0, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (state == MAP_FAILED) state = 0;
    return state != 0;
}

/* For tests in one process: the next call maps the state of the next test. The old one stays mapped for late threads. */
void fake_detach(void) { state = 0; }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* Count a call; its planned fault, else SUCCESS. */
static int enter(enum function function, int device) {
    if (!state && !attach()) return DRIVER_NOT_LOADED;
    struct fault *fault = &state->fault[function];
    if (fault->device >= 0 && device != fault->device) return function == INIT || state->initialised ? SUCCESS : UNINITIALIZED;
    uint32_t call = __sync_add_and_fetch(&fault->calls, 1);
    if (fault->times && call >= fault->first && call - fault->first < fault->times) {
        __sync_add_and_fetch(&fault->fired, 1);
        if (fault->sleep_ms) usleep(fault->sleep_ms * 1000);
        if (fault->code) return fault->code;
    }
    return function == INIT || state->initialised ? SUCCESS : UNINITIALIZED;
}

/* Handles are 1 + device for a GPU and 1000 + 10 x device + slice for a MIG slice. */
static long number(handle h) { return (long)h; }
static int index_of(handle h) { return number(h) >= 1000 ? (number(h) - 1000) / 10 : number(h) - 1; }

#define ENTER(function, h) \
    int code = enter(function, index_of(h)); \
    if (code) return code; \
    struct device *d = &state->device[index_of(h)]

int nvmlInit_v2(void) {
    int code = enter(INIT, 0);
    if (!code) state->initialised = 1;
    return code;
}
int nvmlInitWithFlags(unsigned flags) { (void)flags; return nvmlInit_v2(); }
int nvmlShutdown(void) { return enter(SHUTDOWN, 0); }
const char *nvmlErrorString(int code) { return code == LOST ? "GPU is lost" : "fake error"; }

int nvmlDeviceGetCount_v2(unsigned *count) {
    int code = enter(COUNT, 0);
    if (!code) *count = state->devices;
    return code;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, handle *h) {
    int code = enter(BY_INDEX, index);
    if (code) return code;
    if (index >= state->devices) return INVALID_ARGUMENT;
    *h = (handle)(long)(index + 1);
    return SUCCESS;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, handle *h) {
    int code = enter(BY_UUID, 0);
    if (code) return code;
    for (unsigned i = 0; i < state->devices; i++) {
        if (!strcmp(uuid, state->device[i].uuid)) return *h = (handle)(long)(i + 1), SUCCESS;
        for (int s = 0; s < MAX_SLICES; s++)
            if (*uuid && !strcmp(uuid, state->device[i].slices[s])) return *h = (handle)(long)(1000 + 10 * i + s), SUCCESS;
    }
    return NOT_FOUND;
}
/* What preflight asks for, the same on every device. */
int nvmlSystemGetDriverVersion(char *text, unsigned size) {
    strncpy(text, "580.95.05", size);
    return SUCCESS;
}
int nvmlDeviceGetName(handle h, char *text, unsigned size) {
    (void)h;
    strncpy(text, "NVIDIA A100-SXM4-80GB", size);
    return SUCCESS;
}
/* What torch looks up: its allocator asks whether the devices of several nodes share one NVLink fabric. They do not. */
int nvmlDeviceGetHandleByPciBusId_v2(const char *address, handle *h) {
    return nvmlDeviceGetHandleByIndex_v2(strtol(strchr(address, ':') + 1, 0, 16) - 1, h);
}
int nvmlDeviceGetGpuFabricInfoV(void) { return SUCCESS; } /* and leaves the state that says so */
int nvmlDeviceGetNvLinkRemoteDeviceType(void) { return NOT_SUPPORTED; }
int nvmlDeviceGetNvLinkRemotePciInfo_v2(void) { return NOT_SUPPORTED; }
int nvmlDeviceGetComputeRunningProcesses(void) { return NOT_SUPPORTED; }
int nvmlSystemGetCudaDriverVersion_v2(void) { return NOT_SUPPORTED; }

int nvmlDeviceGetUUID(handle h, char *uuid, unsigned size) {
    ENTER(GET_UUID, h);
    strncpy(uuid, number(h) >= 1000 ? d->slices[number(h) % 10] : d->uuid, size);
    return SUCCESS;
}
int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle h, handle *parent) {
    ENTER(MIG_PARENT, h);
    (void)d;
    *parent = (handle)(long)(index_of(h) + 1);
    return SUCCESS;
}
#ifndef WITHOUT_COUNTER
int nvmlDeviceGetTotalEnergyConsumption(handle h, unsigned long long *millijoules) {
    ENTER(ENERGY, h);
    *millijoules = d->energy_mj + (state->live ? (uint64_t)(d->power_mw * (now() - d->since)) : 0);
    return SUCCESS;
}
#endif
int nvmlDeviceGetPowerUsage(handle h, unsigned *milliwatts) {
    ENTER(POWER, h);
    *milliwatts = d->power_mw;
    return SUCCESS;
}
int nvmlDeviceGetClockInfo(handle h, unsigned kind, unsigned *mhz) {
    (void)kind;
    ENTER(CLOCK, h);
    *mhz = d->clock_mhz;
    return SUCCESS;
}
int nvmlDeviceGetMaxClockInfo(handle h, unsigned kind, unsigned *mhz) {
    (void)kind;
    ENTER(MAX_CLOCK, h);
    *mhz = d->max_clock_mhz;
    return SUCCESS;
}
int nvmlDeviceGetTemperature(handle h, unsigned sensor, unsigned *celsius) {
    (void)sensor;
    ENTER(TEMPERATURE, h);
    *celsius = d->celsius;
    return SUCCESS;
}
int nvmlDeviceGetMemoryInfo(handle h, unsigned long long *total_free_used) {
    ENTER(MEMORY, h);
    total_free_used[0] = 80ULL << 30;
    total_free_used[2] = d->used_bytes;
    total_free_used[1] = total_free_used[0] - total_free_used[2];
    return SUCCESS;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(handle h, unsigned long long *reasons) {
    ENTER(THROTTLE, h);
    *reasons = d->throttle_reasons;
    return SUCCESS;
}
int nvmlDeviceGetPowerManagementLimit(handle h, unsigned *milliwatts) {
    ENTER(LIMIT, h);
    *milliwatts = d->limit_mw;
    return SUCCESS;
}
int nvmlDeviceGetEnforcedPowerLimit(handle h, unsigned *milliwatts) {
    ENTER(ENFORCED, h);
    *milliwatts = d->enforced_mw;
    return SUCCESS;
}
int nvmlDeviceGetPowerManagementLimitConstraints(handle h, unsigned *low, unsigned *high) {
    ENTER(RANGE, h);
    *low = d->low_mw;
    *high = d->high_mw;
    return SUCCESS;
}
int nvmlDeviceGetPowerManagementDefaultLimit(handle h, unsigned *milliwatts) {
    ENTER(DEFAULT, h);
    *milliwatts = d->default_mw;
    return SUCCESS;
}
int nvmlDeviceSetPowerManagementLimit(handle h, unsigned milliwatts) {
    ENTER(SET_LIMIT, h);
    if (milliwatts < d->low_mw || milliwatts > d->high_mw) return INVALID_ARGUMENT;
    d->limit_mw = milliwatts;
    if (!d->ignores_limit) d->enforced_mw = milliwatts;
    return SUCCESS;
}
