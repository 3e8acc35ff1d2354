/* start COUNT CMD…: runs CMD COUNT times; prints each time from start to exit, in ns. */
#include "clock.h"
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(int count, char **words) {
    need(count > 2, "usage: start COUNT CMD…");
    for (int left = atoi(words[1]); left > 0; left--) {
        pid_t child;
        int status;
        long long started = now();
        errno = posix_spawn(&child, words[2], NULL, NULL, words + 2, environ);
        need(errno == 0, words[2]);
        need(wait4(child, &status, 0, NULL) == child, "wait4");
        printf("%lld\n", now() - started);
        need(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it did not exit 0");
    }
    return 0;
}
