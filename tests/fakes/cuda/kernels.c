/* Kernels: registered with their names, launched into the log, never run. */
#include "pretend.h"
#include <string.h>

enum { SLOTS = 1 << 18 }; /* torch's CUDA library registers some 60,000 */
static struct { const void *function; const char *name; } table[SLOTS];

static size_t slot_of(const void *function) {
    size_t slot = ((uintptr_t)function >> 2) * 0x9E3779B97F4A7C15u >> 46;
    while (table[slot].function && table[slot].function != function) slot = (slot + 1) % SLOTS;
    return slot;
}
static const char *name_of(const void *function) {
    const char *name = table[slot_of(function)].name;
    return name ? name : "?";
}

/* Registration happens while libraries load: one thread. */
void __cudaRegisterFunction(void **binary, const char *function, char *device_function, const char *name, int limit,
                            void *thread, void *block, void *block_size, void *grid_size, int *warp) {
    (void)binary, (void)device_function, (void)limit, (void)thread, (void)block, (void)block_size, (void)grid_size, (void)warp;
    size_t slot = slot_of(function);
    table[slot].function = function;
    table[slot].name = name;
}
void **__cudaRegisterFatBinary(void *binary) { static void *handle; (void)binary; return &handle; }
void __cudaRegisterFatBinaryEnd(void **binary) { (void)binary; }
void __cudaUnregisterFatBinary(void **binary) { (void)binary; }
void __cudaRegisterVar(void **binary, char *variable, char *device, const char *name, int external, size_t size, int constant, int global) {
    (void)binary, (void)variable, (void)device, (void)name, (void)external, (void)size, (void)constant, (void)global;
}

/* What `kernel<<<grid, block, shared, stream>>>()` compiles to: push, pop, launch. */
static __thread struct { dim3 grid, block; size_t shared; void *stream; } pushed;
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, void *stream) {
    pushed.grid = grid, pushed.block = block, pushed.shared = shared, pushed.stream = stream;
    return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream) {
    *grid = pushed.grid, *block = pushed.block, *shared = pushed.shared, *(void **)stream = pushed.stream;
    return cudaSuccess;
}

static cudaError_t launch(const void *function, dim3 grid, dim3 block, void *stream) {
    log_event("\"op\": \"kernel\", \"name\": \"%s\", \"grid\": [%u, %u, %u], \"block\": [%u, %u, %u], \"stream\": %ld",
              name_of(function), grid.x, grid.y, grid.z, block.x, block.y, block.z, stream_number(stream));
    return cudaSuccess;
}
cudaError_t __cudaGetKernel(cudaKernel_t *kernel, const void *function) { *kernel = (cudaKernel_t)function; return cudaSuccess; }
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void **arguments, size_t shared, cudaStream_t stream) {
    (void)arguments, (void)shared;
    return launch(kernel, grid, block, stream);
}
cudaError_t cudaLaunchKernel(const void *function, dim3 grid, dim3 block, void **arguments, size_t shared, cudaStream_t stream) {
    (void)arguments, (void)shared;
    return launch(function, grid, block, stream);
}
cudaError_t cudaLaunchCooperativeKernel(const void *function, dim3 grid, dim3 block, void **arguments, size_t shared, cudaStream_t stream) {
    (void)arguments, (void)shared;
    return launch(function, grid, block, stream);
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t *config, const void *function, void **arguments) {
    (void)arguments;
    return launch(function, config->gridDim, config->blockDim, config->stream);
}
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *data) {
    (void)stream;
    function(data);
    return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *a, const void *function) {
    (void)function;
    int shared;
    memset(a, 0, sizeof *a);
    cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0);
    a->ptxVersion = a->binaryVersion = setting("PRETEND_CAPABILITY", 80);
    a->maxThreadsPerBlock = 1024;
    a->maxDynamicSharedSizeBytes = shared;
    a->numRegs = 32;
    return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void *function, enum cudaFuncAttribute attribute, int value) {
    (void)function, (void)attribute, (void)value;
    return cudaSuccess;
}
cudaError_t cudaKernelSetAttributeForDevice(cudaKernel_t kernel, enum cudaFuncAttribute attribute, int value, int device) {
    (void)kernel, (void)attribute, (void)value, (void)device;
    return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *function, int threads, size_t shared) {
    (void)function, (void)threads, (void)shared;
    *blocks = 2;
    return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, const void *function, int threads, size_t shared, unsigned flags) {
    (void)flags;
    return cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, shared);
}
