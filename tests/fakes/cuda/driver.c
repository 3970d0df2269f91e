#define _GNU_SOURCE
/* libcuda.so.1: the few calls that torch makes past the runtime. */
#include "pretend.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef int result;
enum { OK = 0, NOT_FOUND = 500 };

result cuInit(unsigned flags) { (void)flags; return OK; }
result cuDriverGetVersion(int *version) { return cudaDriverGetVersion(version); }
result cuDeviceGetCount(int *count) { return cudaGetDeviceCount(count); }
result cuDeviceGet(int *device, int index) { *device = index; return OK; }
result cuDeviceGetAttribute(int *value, int attribute, int device) { return cudaDeviceGetAttribute(value, attribute, device); }
result cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { (void)device; *flags = 0, *active = 1; return OK; }
result cuDevicePrimaryCtxRetain(void **context, int device) { *context = (void *)(intptr_t)(16 + device); return OK; }
result cuCtxGetCurrent(void **context) { *context = (void *)(intptr_t)(16 + current_device()); return OK; }
result cuCtxSetCurrent(void *context) { (void)context; return OK; }
result cuCtxGetDevice(int *device) { *device = current_device(); return OK; }
result cuGetErrorString(int error, const char **text) { *text = error ? "pretend driver error" : "no error"; return OK; }
result cuPointerGetAttribute(void *value, int attribute, const void *pointer) { (void)value, (void)attribute, (void)pointer; return NOT_FOUND; }

/* The runtime and torch look functions up by name. What is not here aborts when it is called. */
static void absent(void) {
    fputs("pretend CUDA: a driver function is not there\n", stderr);
    abort();
}
static void *entry(const char *symbol) {
    void *found = dlsym(RTLD_DEFAULT, symbol);
    return found ? found : (void *)absent;
}
result cuGetProcAddress_v2(const char *symbol, void **function, int version, unsigned long long flags, int *status) {
    (void)version, (void)flags;
    *function = entry(symbol);
    if (status) *status = 0;
    return OK;
}
cudaError_t cudaGetDriverEntryPointByVersion(const char *symbol, void **function, unsigned version, unsigned long long flags,
                                             enum cudaDriverEntryPointQueryResult *status) {
    (void)version, (void)flags;
    *function = entry(symbol);
    if (status) *status = cudaDriverEntryPointSuccess;
    return cudaSuccess;
}
cudaError_t cudaProfilerStart(void) { return cudaSuccess; }
cudaError_t cudaProfilerStop(void) { return cudaSuccess; }

/* Versions of libraries that torch asks for and never uses in training: those of the wheels that it is built with. */
size_t cudnnGetVersion(void) { return 92000; }
size_t cudnnGetCudartVersion(void) { return 13000; }
int nvrtcVersion(int *major, int *minor) { *major = 13, *minor = 0; return OK; }
