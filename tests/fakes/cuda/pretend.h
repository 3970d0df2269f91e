/* A pretend CUDA for torch's own CUDA build: device memory is host memory, kernels do nothing, every call is logged. */
#pragma once
#include <cuda_runtime_api.h>
#include <stddef.h>
#include <stdint.h>

/* log.c: one JSON object a line in PRETEND_LOG.RANK; `fields` is printf's format of its inside. */
void log_event(const char *fields, ...) __attribute__((format(printf, 1, 2)));
int setting(const char *name, int otherwise); /* an environment variable as a number */

/* devices.c */
int current_device(void);
size_t device_bytes(void);

/* memory.c: what an address is. */
enum place { PAGEABLE, PINNED, DEVICE };
enum place place_of(const void *address);
void add_range(void *start, size_t bytes, enum place place);
size_t drop_range(void *start); /* its bytes; 0 where none started there */
cudaError_t reserve_device_bytes(size_t bytes); /* out of memory where the device would be */
void release_device_bytes(size_t bytes);

/* streams.c: a number for a stream, 0 for the default one. */
long stream_number(const void *stream);

/* exchange.c: how the ranks of this machine meet. A message is a file in PRETEND_EXCHANGE. */
struct message { /* what a call must have in common with the same call of the other ranks */
    int32_t operation, type, reduction, root;
    uint64_t count;
};
int exchange_on(void);
int publish(const char *name, const struct message *head, const void *data, size_t bytes);
const void *await_message(const char *name, struct message *head, size_t *bytes, size_t *mapped); /* NULL: nobody came */
void release_message(const void *data, size_t mapped);
void forget_message(const char *name);

/* reduce.c: into += data, elementwise. Types and reductions are NCCL's. */
size_t type_bytes(int type);
const char *type_name(int type);
void reduce_into(void *into, const void *data, size_t count, int type, int reduction);
void scale(void *data, size_t count, int type, double factor);
