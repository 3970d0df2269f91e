/* The log: one JSON object a line, in a file for each rank. A test brackets what it looks at with marks. */
#include "pretend.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int setting(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text && *text ? atoi(text) : otherwise;
}

__attribute__((constructor)) static void open_log(void) {
    const char *path = getenv("PRETEND_LOG");
    char name[4096];
    if (!path || !*path) return;
    snprintf(name, sizeof name, "%s.%d", path, setting("RANK", 0));
    file = fopen(name, "a");
    if (file) setvbuf(file, NULL, _IOLBF, 1 << 16); /* a rank may end by _exit */
}

int logging(void) { return file != NULL; }

void log_event(const char *fields, ...) {
    if (!file) return;
    va_list values;
    va_start(values, fields);
    pthread_mutex_lock(&lock);
    fputc('{', file);
    vfprintf(file, fields, values);
    fputs("}\n", file);
    pthread_mutex_unlock(&lock);
    va_end(values);
}

/* Called by the test's launcher through ctypes. */
void pretend_mark(const char *name) { log_event("\"op\": \"mark\", \"name\": \"%s\"", name); }
