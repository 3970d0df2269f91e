/* State of the fake NVML, mapped from the file named by FAKE_NVML. Mirrored by tests/fakes/nvml/fake.py. */
#include <stdint.h>

enum { MAX_DEVICES = 16, MAX_SLICES = 4, FUNCTIONS = 24, UUID = 64 };

struct device {
    char uuid[UUID];
    uint64_t energy_mj;      /* the counter at `since`; it grows by power_mw x time when `live` is set */
    double since;            /* CLOCK_MONOTONIC */
    uint32_t power_mw, limit_mw, enforced_mw, default_mw, low_mw, high_mw;
    uint32_t ignores_limit;  /* accepts a new limit and goes on enforcing the old one */
    char slices[MAX_SLICES][UUID];
    uint32_t clock_mhz, max_clock_mhz, celsius;
    uint64_t throttle_reasons, used_bytes;
};

struct fault { /* one a function */
    uint32_t first, times; /* fails from call number `first` (from 1) for `times` calls; times 0: never */
    uint32_t code, sleep_ms;
    int32_t device; /* -1: every device */
    uint32_t calls, fired;
};

struct state {
    uint32_t devices, live, initialised, pad;
    struct device device[MAX_DEVICES];
    struct fault fault[FUNCTIONS];
};
