/* cuBLAS and cuBLASLt: the shapes and types of matrix products, as cuBLAS names them (column-major: n and m are swapped in torch's view). */
#include "pretend.h"
#include <library_types.h>
#include <stdlib.h>

static const char *name(int type) {
    switch (type) {
    case CUDA_R_32F: return "fp32";
    case CUDA_R_16BF: return "bf16";
    case CUDA_R_16F: return "fp16";
    case CUDA_R_64F: return "fp64";
    default: return "other";
    }
}

/* `a`, `b` and `c` are the types of the factors and of the product; `compute` is cuBLAS's number of what it adds up in. */
struct types { int a, b, c, compute; };
enum { IN_FP32 = 68 };
static const struct types fp32 = {CUDA_R_32F, CUDA_R_32F, CUDA_R_32F, IN_FP32};

static int product(const char *call, int m, int n, int k, int batch, struct types t) {
    log_event("\"op\": \"product\", \"call\": \"%s\", \"m\": %d, \"n\": %d, \"k\": %d, \"batch\": %d, \"types\": [\"%s\", \"%s\", \"%s\"], \"compute\": %d", call,
              m, n, k, batch, name(t.a), name(t.b), name(t.c), t.compute);
    return 0;
}

/* Handles are only ever handed back. */
int cublasCreate_v2(void **handle) { return (*handle = malloc(64)) ? 0 : 3; }
int cublasDestroy_v2(void *handle) { free(handle); return 0; }
int cublasSetStream_v2(void *h, void *stream) { (void)h, (void)stream; return 0; }
int cublasSetWorkspace_v2(void *h, void *space, size_t bytes) { (void)h, (void)space, (void)bytes; return 0; }
int cublasSetMathMode(void *h, int mode) { (void)h, (void)mode; return 0; }
int cublasGetMathMode(void *h, int *mode) { (void)h; *mode = 0; return 0; }
int cublasSetPointerMode_v2(void *h, int mode) { (void)h, (void)mode; return 0; }
int cublasGetPointerMode_v2(void *h, int *mode) { (void)h; *mode = 0; return 0; }
int cublasSetSmCountTarget(void *h, int count) { (void)h, (void)count; return 0; }

int cublasGemmEx(void *h, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int type_a, int lda, const void *b, int type_b, int ldb,
                 const void *beta, void *c, int type_c, int ldc, int compute, int algorithm) {
    (void)h, (void)ta, (void)tb, (void)alpha, (void)a, (void)lda, (void)b, (void)ldb, (void)beta, (void)c, (void)ldc, (void)algorithm;
    return product("gemm", m, n, k, 1, (struct types){type_a, type_b, type_c, compute});
}
int cublasGemmStridedBatchedEx(void *h, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int type_a, int lda, long long stride_a,
                               const void *b, int type_b, int ldb, long long stride_b, const void *beta, void *c, int type_c, int ldc, long long stride_c,
                               int batch, int compute, int algorithm) {
    (void)h, (void)ta, (void)tb, (void)alpha, (void)a, (void)lda, (void)stride_a, (void)b, (void)ldb, (void)stride_b, (void)beta, (void)c, (void)ldc;
    (void)stride_c, (void)algorithm;
    return product("batched", m, n, k, batch, (struct types){type_a, type_b, type_c, compute});
}
int cublasSgemm_v2(void *h, int ta, int tb, int m, int n, int k) {
    (void)h, (void)ta, (void)tb;
    return product("gemm", m, n, k, 1, fp32);
}
int cublasSgemmStridedBatched(void *h, int ta, int tb, int m, int n, int k, const float *alpha, const float *a, int lda, long long stride_a, const float *b,
                              int ldb, long long stride_b, const float *beta, float *c, int ldc, long long stride_c, int batch) {
    (void)h, (void)ta, (void)tb, (void)alpha, (void)a, (void)lda, (void)stride_a, (void)b, (void)ldb, (void)stride_b, (void)beta, (void)c, (void)ldc;
    (void)stride_c;
    return product("batched", m, n, k, batch, fp32);
}
int cublasSgemv_v2(void *h, int ta, int m, int n) { (void)h, (void)ta; return product("gemv", m, n, 1, 1, fp32); }
int cublasSdot_v2(void *h, int n) { (void)h; return product("dot", n, 1, 1, 1, fp32); }

/* cuBLASLt describes a product with objects; a layout remembers its size and type. */
struct layout { int type; uint64_t rows, columns; };
size_t cublasLtGetVersion(void) { return 130000; }
int cublasLtMatrixLayoutCreate(struct layout **layout, int type, uint64_t rows, uint64_t columns, int64_t leading) {
    (void)leading;
    if (!(*layout = malloc(sizeof **layout))) return 3;
    **layout = (struct layout){type, rows, columns};
    return 0;
}
int cublasLtMatrixLayoutDestroy(struct layout *layout) { free(layout); return 0; }
int cublasLtMatrixLayoutSetAttribute(void *layout, int attribute, const void *value, size_t size) {
    (void)layout, (void)attribute, (void)value, (void)size;
    return 0;
}
int cublasLtMatmulDescCreate(int **description, int compute, int scale_type) {
    (void)scale_type;
    if (!(*description = malloc(sizeof **description))) return 3;
    **description = compute;
    return 0;
}
int cublasLtMatmulDescDestroy(void *description) { free(description); return 0; }
int cublasLtMatmulDescSetAttribute(void *description, int attribute, const void *value, size_t size) {
    (void)description, (void)attribute, (void)value, (void)size;
    return 0;
}
int cublasLtMatmulPreferenceCreate(void **preference) { return (*preference = malloc(64)) ? 0 : 3; }
int cublasLtMatmulPreferenceDestroy(void *preference) { free(preference); return 0; }
int cublasLtMatmulPreferenceSetAttribute(void *preference, int attribute, const void *value, size_t size) {
    (void)preference, (void)attribute, (void)value, (void)size;
    return 0;
}
int cublasLtMatmulAlgoGetHeuristic(void *h, void *d, void *a, void *b, void *c, void *out, void *preference, int wanted, void *results, int *found) {
    (void)h, (void)d, (void)a, (void)b, (void)c, (void)out, (void)preference, (void)wanted, (void)results;
    *found = 1;
    return 0;
}
int cublasLtMatmul(void *h, int *description, const void *alpha, const void *a, struct layout *layout_a, const void *b, struct layout *layout_b,
                   const void *beta, const void *c, struct layout *layout_c, void *d, struct layout *layout_d) {
    (void)h, (void)alpha, (void)a, (void)b, (void)beta, (void)c, (void)layout_c, (void)d;
    uint64_t m = layout_d->rows, n = layout_d->columns, k = layout_a->rows * layout_a->columns / m; /* transposed or not */
    return product("lt", m, n, k, 1, (struct types){layout_a->type, layout_b->type, layout_d->type, *description});
}
