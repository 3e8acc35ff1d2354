/* stop HOW KIND COUNT [INIT…]: a stop of COUNT processes below a parent that
 * SIGTERM kills, as it kills a shell.
 *
 *     init -> parent -> COUNT children
 *
 * A COUNT of 0 makes the parent itself the one that is told.
 *
 * HOW   init: SIGTERM to the init; group: to the parent's process group, by us
 * KIND  handlers: the children stamp the clock in their handler of SIGTERM,
 *       and wait until we let them go; sleepers: SIGTERM kills them
 *
 * Prints a line of JSON, times in ns and memory in kB:
 *     told    from kill(2) to the last child's stamp, or to the last one's end
 *     lag     from the last child's exit to the exit of the init (handlers only)
 *     peak    the init's VmHWM when all were told
 *     anonymous  its RssAnon then
 *     cpu     its time on a CPU between kill(2) and then
 *
 * The parent is this program in its other form: `stop --tree KIND COUNT SHARED PIPE`. */
#define _GNU_SOURCE
#include "clock.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_S = 30 };

static struct shared {
    atomic_int parent;          /* its pid */
    atomic_int ready, told;     /* children */
    atomic_int released;        /* a futex: 1 when the children may leave */
    atomic_llong last_told, last_exit;
} *shared;

static void raise_to(atomic_llong *latest, long long time) {
    long long seen = atomic_load(latest);
    while (seen < time && !atomic_compare_exchange_weak(latest, &seen, time))
        ;
}

static void on_term(int signal) {
    (void)signal;
    raise_to(&shared->last_told, now());
    atomic_fetch_add(&shared->told, 1);
    while (!atomic_load(&shared->released))
        syscall(SYS_futex, &shared->released, FUTEX_WAIT, 0, NULL, NULL, 0);
    raise_to(&shared->last_exit, now());
    _exit(0);
}

static void map_shared(int fd) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    need(shared != MAP_FAILED, "mmap");
}

static void await_term(int handles) {
    if (handles)
        signal(SIGTERM, on_term);
    atomic_fetch_add(&shared->ready, 1);
    for (;;)
        pause();
}

/* The parent, and in it the children. */
static void tree(int handles, int count, int shared_fd, const char *pipe_path) {
    map_shared(shared_fd);
    atomic_store(&shared->parent, getpid());
    int pipe_end = open(pipe_path, O_WRONLY);
    need(pipe_end >= 0, pipe_path);
    if (count == 0)
        await_term(handles);
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        need(child >= 0, "fork");
        if (child == 0)
            await_term(handles);
    }
    close(pipe_end); /* now only the children hold it */
    for (;;)
        pause();
}

static void wait_for(atomic_int *value, int wanted, const char *what) {
    for (long long deadline = now() + DEADLINE_S * 1000000000LL; atomic_load(value) < wanted; usleep(1000)) {
        errno = ETIMEDOUT;
        need(now() < deadline, what);
    }
}

static int status_kb(pid_t pid, const char *field) {
    char path[64], line[256];
    int kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *status = fopen(path, "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, field, strlen(field)) == 0)
            kb = atoi(line + strlen(field) + 1);
    if (status)
        fclose(status);
    return kb;
}

static long long cpu_ns(pid_t pid) {
    char path[64];
    long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    FILE *stat = fopen(path, "r");
    if (stat && fscanf(stat, "%lld", &ns) != 1)
        ns = 0;
    if (stat)
        fclose(stat);
    return ns;
}

/* The children hold the pipe's other end: it closes when the last one ends. */
static void wait_for_end_of(int pipe_end) {
    struct pollfd poll_for = {.fd = pipe_end};
    errno = ETIMEDOUT;
    need(poll(&poll_for, 1, DEADLINE_S * 1000) == 1, "not every child was told");
}

int main(int words, char **word) {
    need(words > 3, "usage: stop HOW KIND COUNT [INIT…]");
    int handlers = strcmp(word[2], "handlers") == 0;
    int count = atoi(word[3]);
    if (strcmp(word[1], "--tree") == 0)
        tree(handlers, count, atoi(word[4]), word[5]);
    int by_group = strcmp(word[1], "group") == 0;
    int told_in_all = count ? count : 1;

    int shared_fd = memfd_create("shared", 0);
    need(ftruncate(shared_fd, sizeof *shared) == 0, "ftruncate");
    map_shared(shared_fd);

    /* The parent opens the pipe by its path: inherited, the init would hold it too. */
    int ends[2];
    char shared_word[16], pipe_path[32];
    need(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    snprintf(shared_word, sizeof shared_word, "%d", shared_fd);
    snprintf(pipe_path, sizeof pipe_path, "/proc/%d/fd/%d", getpid(), ends[1]);

    char *command[words + 4];
    char *tail[] = {word[0], "--tree", word[2], word[3], shared_word, pipe_path, NULL};
    memcpy(command, word + 4, (words - 4) * sizeof *command);
    memcpy(command + words - 4, tail, sizeof tail);

    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what an init leaves behind comes to us */
    pid_t init = fork();
    need(init >= 0, "fork");
    if (init == 0) {
        setpgid(0, 0);
        execv(command[0], command);
        need(0, command[0]);
    }
    wait_for(&shared->ready, told_in_all, "the children do not start");
    close(ends[1]);
    usleep(100000); /* lets them all go to sleep */

    long long cpu = cpu_ns(init), sent = now(), told;
    if (by_group)
        need(kill(-getpgid(shared->parent), SIGTERM) == 0, "kill");
    else
        need(kill(init, SIGTERM) == 0, "kill");
    if (handlers) {
        wait_for(&shared->told, told_in_all, "not every child was told");
        told = shared->last_told;
    } else {
        wait_for_end_of(ends[0]);
        told = now();
    }
    cpu = cpu_ns(init) - cpu;
    int peak = status_kb(init, "VmHWM:"), anonymous = status_kb(init, "RssAnon:");
    atomic_store(&shared->released, 1);
    syscall(SYS_futex, &shared->released, FUTEX_WAKE, told_in_all, NULL, NULL, 0);

    waitpid(init, NULL, 0);
    long long left = now();
    while (waitpid(-1, NULL, 0) > 0)
        ;
    printf("{\"told\": %lld, \"lag\": %lld, \"peak\": %d, \"anonymous\": %d, \"cpu\": %lld}\n",
        told - sent, handlers ? left - shared->last_exit : 0, peak, anonymous, cpu);
    return 0;
}
