/* Messages between the ranks of this machine: files that appear complete, and are waited for. */
#include "pretend.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *folder(void) { return getenv("PRETEND_EXCHANGE"); }
int exchange_on(void) { const char *path = folder(); return path && *path; }

static int write_all(int file, const void *data, size_t bytes) {
    for (const char *at = data; bytes;) {
        ssize_t written = write(file, at, bytes);
        if (written <= 0) return -1;
        at += written, bytes -= written;
    }
    return 0;
}

int publish(const char *name, const struct message *head, const void *data, size_t bytes) {
    char path[4096], temporary[4200];
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    snprintf(temporary, sizeof temporary, "%s.%d", path, getpid());
    int file = open(temporary, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    if (file < 0) return -1;
    int failed = write_all(file, head, sizeof *head) || write_all(file, data, bytes);
    return close(file) || failed ? -1 : rename(temporary, path);
}

const void *await_message(const char *name, struct message *head, size_t *bytes, size_t *mapped) {
    char path[4096];
    struct timespec now;
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t end = now.tv_sec + setting("PRETEND_TIMEOUT", 120);
    int file;
    for (unsigned pause = 20; (file = open(path, O_RDONLY)) < 0; pause += pause < 1000 ? 20 : 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > end) return NULL;
        usleep(pause);
    }
    struct stat status;
    fstat(file, &status);
    *mapped = status.st_size;
    const char *data = mmap(NULL, *mapped, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (data == MAP_FAILED) return NULL;
    *head = *(const struct message *)data;
    *bytes = *mapped - sizeof *head;
    return data + sizeof *head;
}
void release_message(const void *data, size_t mapped) { munmap((char *)data - sizeof(struct message), mapped); }

void forget_message(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    unlink(path);
}
