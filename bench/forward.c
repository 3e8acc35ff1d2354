/* forward COUNT [INIT…]: sends USR1 to the init COUNT times; prints each time
 * from kill(2) to the handler of its child, in ns. Without INIT the child is
 * signalled directly. The child is this program again: `forward --child PIPE`. */
#include "clock.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int out;

static void stamp(int signal) {
    (void)signal;
    long long time = now();
    need(write(out, &time, sizeof time) == sizeof time, "write");
}

static void child(void) {
    long long ready = 0;
    signal(SIGUSR1, stamp);
    need(write(out, &ready, sizeof ready) == sizeof ready, "write");
    for (;;)
        pause();
}

int main(int count, char **words) {
    need(count > 1, "usage: forward COUNT [INIT…]");
    if (strcmp(words[1], "--child") == 0) {
        out = atoi(words[2]);
        child();
    }

    int ends[2];
    char end[16];
    need(pipe(ends) == 0, "pipe");
    snprintf(end, sizeof end, "%d", ends[1]);

    char *command[count + 4];
    char *tail[] = {words[0], "--child", end, NULL};
    memcpy(command, words + 2, (count - 2) * sizeof *command);
    memcpy(command + count - 2, tail, sizeof tail);

    pid_t init = fork();
    need(init >= 0, "fork");
    if (init == 0) {
        execv(command[0], command);
        need(0, command[0]);
    }
    long long stamped;
    need(read(ends[0], &stamped, sizeof stamped) == sizeof stamped, "the child is not ready");
    for (int left = atoi(words[1]); left > 0; left--) {
        usleep(200); /* lets the init go back to its wait */
        long long sent = now();
        need(kill(init, SIGUSR1) == 0, "kill");
        need(read(ends[0], &stamped, sizeof stamped) == sizeof stamped, "read");
        printf("%lld\n", stamped - sent);
    }
    kill(init, SIGTERM);
    waitpid(init, NULL, 0);
    return 0;
}
