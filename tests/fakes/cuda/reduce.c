/* Arithmetic of collectives, in the order of ranks, so that every rank gets the same bits. */
#include "pretend.h"
#include <string.h>

enum { INT8, UINT8, INT32, UINT32, INT64, UINT64, HALF, FLOAT, DOUBLE, BFLOAT16, FLOAT8_E4M3, FLOAT8_E5M2 };
enum { SUM, PROD, MAX, MIN, AVG };

static const struct { size_t bytes; const char *name; } types[] = {
    {1, "int8"}, {1, "uint8"}, {4, "int32"}, {4, "uint32"}, {8, "int64"}, {8, "uint64"},
    {2, "fp16"}, {4, "fp32"}, {8, "fp64"}, {2, "bf16"}, {1, "fp8"}, {1, "fp8"},
};
size_t type_bytes(int type) { return types[type].bytes; }
const char *type_name(int type) { return types[type].name; }

static double get(const void *data, size_t i, int type) {
    switch (type) {
    case HALF: return ((const _Float16 *)data)[i];
    case FLOAT: return ((const float *)data)[i];
    case DOUBLE: return ((const double *)data)[i];
    default: { /* bf16 is the upper half of an fp32 */
        uint32_t bits = (uint32_t)((const uint16_t *)data)[i] << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    }
}
static void put(void *data, size_t i, int type, double value) {
    switch (type) {
    case HALF: ((_Float16 *)data)[i] = (_Float16)value; break;
    case FLOAT: ((float *)data)[i] = (float)value; break;
    case DOUBLE: ((double *)data)[i] = value; break;
    default: {
        float narrow = (float)value;
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        ((uint16_t *)data)[i] = (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }
    }
}
static double combine(double a, double b, int reduction) {
    switch (reduction) {
    case PROD: return a * b;
    case MAX: return a > b ? a : b;
    case MIN: return a < b ? a : b;
    default: return a + b; /* an average is a sum that nccl.c divides */
    }
}

#define INTEGERS(type) \
    for (size_t i = 0; i < count; i++) { \
        type *a = (type *)into + i, b = ((const type *)data)[i]; \
        *a = reduction == PROD ? *a * b : reduction == MAX ? (*a > b ? *a : b) : reduction == MIN ? (*a < b ? *a : b) : *a + b; \
    } \
    return

void reduce_into(void *into, const void *data, size_t count, int type, int reduction) {
    switch (type) {
    case INT8: INTEGERS(int8_t);
    case UINT8:
    case FLOAT8_E4M3:
    case FLOAT8_E5M2: INTEGERS(uint8_t);
    case INT32: INTEGERS(int32_t);
    case UINT32: INTEGERS(uint32_t);
    case INT64: INTEGERS(int64_t);
    case UINT64: INTEGERS(uint64_t);
    default:
        for (size_t i = 0; i < count; i++) put(into, i, type, combine(get(into, i, type), get(data, i, type), reduction));
    }
}
void scale(void *data, size_t count, int type, double factor) {
    if (type < HALF || type > BFLOAT16) return;
    for (size_t i = 0; i < count; i++) put(data, i, type, get(data, i, type) * factor);
}
