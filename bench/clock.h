/* What every fixture shares: the clock, and a way to give up. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* CLOCK_MONOTONIC in nanoseconds; may be called from a signal handler. */
static inline long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static inline void need(int truth, const char *what) {
    if (truth)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}
