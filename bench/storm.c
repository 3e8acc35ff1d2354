/* storm COUNT: leaves COUNT orphans to the init, as fast as it can: each is the
 * child of a child that ends before it. Then prints a line, and waits to be killed.
 *
 * The orphans end at once, so the init has both the adoption and the reaping of each. */
#include "clock.h"
#include <sys/wait.h>
#include <unistd.h>

int main(int words, char **word) {
    need(words == 2, "usage: storm COUNT");
    for (int left = atoi(word[1]); left > 0; left--) {
        pid_t child = fork();
        need(child >= 0, "fork");
        if (child == 0)
            _exit(fork() < 0);
        need(waitpid(child, NULL, 0) == child, "waitpid");
    }
    need(write(1, "done\n", 5) == 5, "write");
    for (;;)
        pause();
}
