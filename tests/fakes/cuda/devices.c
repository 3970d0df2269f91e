/* Devices: PRETEND_DEVICES of them, A100 (PRETEND_CAPABILITY=80) or H100 (90), of PRETEND_MEMORY_GIB. */
#include "pretend.h"
#include <stdio.h>
#include <string.h>

static __thread int current;

/* From NVIDIA's data sheets and the tuning guides of the two architectures. */
struct model { const char *name; int multiprocessors, shared_bytes, memory_gib; };
static const struct model a100 = {"NVIDIA A100-SXM4-80GB", 108, 166912, 80}, h100 = {"NVIDIA H100 80GB HBM3", 132, 232448, 80};

static int capability(void) { return setting("PRETEND_CAPABILITY", 80); }
static const struct model *model(void) { return capability() >= 90 ? &h100 : &a100; }
static int count(void) { return setting("PRETEND_DEVICES", 1); }

size_t device_bytes(void) { return (size_t)setting("PRETEND_MEMORY_GIB", model()->memory_gib) << 30; }
int current_device(void) { return current; }

cudaError_t cudaGetDeviceCount(int *devices) { *devices = count(); return cudaSuccess; }
cudaError_t cudaGetDevice(int *device) { *device = current; return cudaSuccess; }
cudaError_t cudaSetDevice(int device) {
    if (device < 0 || device >= count()) return cudaErrorInvalidDevice;
    current = device;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device) {
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s", model()->name);
    p->major = capability() / 10;
    p->minor = capability() % 10;
    p->totalGlobalMem = device_bytes();
    p->multiProcessorCount = model()->multiprocessors;
    p->sharedMemPerBlock = 48 << 10;
    p->sharedMemPerBlockOptin = model()->shared_bytes;
    p->sharedMemPerMultiprocessor = model()->shared_bytes + 1024;
    p->regsPerBlock = p->regsPerMultiprocessor = 65536;
    p->warpSize = 32;
    p->maxThreadsPerBlock = 1024;
    p->maxThreadsPerMultiProcessor = 2048;
    p->maxBlocksPerMultiProcessor = 32;
    p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
    p->maxThreadsDim[2] = 64;
    p->maxGridSize[0] = 2147483647;
    p->maxGridSize[1] = p->maxGridSize[2] = 65535;
    p->l2CacheSize = 40 << 20;
    p->memoryBusWidth = 5120;
    p->textureAlignment = 512;
    p->unifiedAddressing = 1;
    p->pciBusID = device + 1;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device) {
    (void)device;
    switch ((int)attribute) {
    case cudaDevAttrMultiProcessorCount: *value = model()->multiprocessors; break;
    case cudaDevAttrComputeCapabilityMajor: *value = capability() / 10; break;
    case cudaDevAttrComputeCapabilityMinor: *value = capability() % 10; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = 48 << 10; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = model()->shared_bytes; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: *value = model()->shared_bytes + 1024; break;
    case cudaDevAttrMaxRegistersPerBlock:
    case cudaDevAttrMaxRegistersPerMultiprocessor: *value = 65536; break;
    case cudaDevAttrWarpSize:
    case cudaDevAttrMaxBlocksPerMultiprocessor: *value = 32; break;
    case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = 2048; break;
    case cudaDevAttrMaxGridDimX: *value = 2147483647; break;
    case cudaDevAttrL2CacheSize: *value = 40 << 20; break;
    default: *value = 1; /* capabilities that can be had or not: had */
    }
    return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *text, int size, int device) {
    snprintf(text, size, "0000:%02x:00.0", device + 1);
    return cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int *can, int from, int to) { (void)from, (void)to; *can = 1; return cudaSuccess; }
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags) { (void)peer, (void)flags; return cudaSuccess; }
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t *pool, int device) {
    *pool = (cudaMemPool_t)(intptr_t)(device + 1);
    return cudaSuccess;
}

/* PRETEND_DRIVER: the CUDA version that the driver supports, to try one that is too old for the wheel. */
cudaError_t cudaDriverGetVersion(int *version) { *version = setting("PRETEND_DRIVER", 13000); return cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int *version) { *version = 13000; return cudaSuccess; }
cudaError_t cudaGetLastError(void) { return cudaSuccess; }
cudaError_t cudaPeekAtLastError(void) { return cudaSuccess; }
const char *cudaGetErrorName(cudaError_t error) { return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaError"; }
const char *cudaGetErrorString(cudaError_t error) { return error == cudaErrorMemoryAllocation ? "out of memory" : "pretend CUDA error"; }
