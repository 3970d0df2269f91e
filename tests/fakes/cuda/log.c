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

/* Opened when it is first asked for: a rank is forked from a process that has loaded this library and logs nothing. */
static FILE *opened(void) {
    const char *path = file ? NULL : getenv("PRETEND_LOG");
    char name[4096];
    if (!path || !*path) return file;
    snprintf(name, sizeof name, "%s.%d", path, setting("RANK", 0));
    pthread_mutex_lock(&lock);
    if (!file && (file = fopen(name, "a"))) setvbuf(file, NULL, _IOLBF, 1 << 16); /* a rank may end by _exit */
    pthread_mutex_unlock(&lock);
    return file;
}

void log_event(const char *fields, ...) {
    if (!opened()) return;
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
