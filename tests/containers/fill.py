"""Fills the container with sleeping children, then waits for SIGTERM, and needs
a second to clean up.

    fill.py         until the container's limit on processes; exits 3 when there is none
    fill.py COUNT   so many of them
"""

import os
import signal
import sys
import time

MORE_THAN_ANY_LIMIT = 500


def trace(what, text):
    with open(f"/volume/app.{what}", "w") as file:
        file.write(text)


def clean_up(number, _frame):
    time.sleep(1)
    trace("cleaned", str(int(number)))
    os._exit(0)


count = int(sys.argv[1]) if len(sys.argv) > 1 else None
for _ in range(count or MORE_THAN_ANY_LIMIT):
    try:
        if os.fork() == 0:
            signal.pause()
    except BlockingIOError:
        break
else:
    if count is None:
        sys.exit(3)

signal.signal(signal.SIGTERM, clean_up)
trace("full", str(os.getpid()))
while True:
    signal.pause()
