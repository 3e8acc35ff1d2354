"""An application that needs a while to clean up after itself.

    app.py [NAME [SECONDS]]

It leaves its traces on the volume: NAME.ready when it runs, NAME.cleaned, with
the number of the signal, when its clean-up is done. Its last line has no
newline, as a line that a buffer would keep.
"""

import os
import signal
import sys
import time

name = sys.argv[1] if len(sys.argv) > 1 else "app"
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.5


def trace(what, text):
    with open(f"/volume/{name}.new", "w") as file:
        file.write(text)
    os.rename(f"/volume/{name}.new", f"/volume/{name}.{what}")


def clean_up(number, _frame):
    print(f"{name}: cleaning up", flush=True)
    done = time.monotonic() + seconds
    while (left := done - time.monotonic()) > 0:
        time.sleep(left)
    trace("cleaned", str(int(number)))
    print(f"{name}: the last line", end="", flush=True)
    os._exit(0)


for number in (signal.SIGTERM, signal.SIGRTMIN + 3):
    signal.signal(number, clean_up)
trace("ready", str(os.getpid()))
while True:
    signal.pause()
