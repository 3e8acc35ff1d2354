"""A person at a terminal, who types and reads."""

import os
import pty
import select
import subprocess
import time

from engine import DEADLINE


class Terminal:
    """`docker run -it` on a pseudo-terminal."""

    def __init__(self, engine, img, *command):
        self.master, slave = pty.openpty()
        self.client = subprocess.Popen(
            [engine.client, "run", "--rm", "-it", "--network", "none", img, *command],
            env=engine.environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.kill()
        self.client.wait()
        os.close(self.master)

    def await_text(self, text):
        deadline = time.monotonic() + DEADLINE
        while text not in self.seen:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.master], [], [], max(0, left))
            try:
                seen = os.read(self.master, 4096) if ready else b""
            except OSError:  # how Linux tells that the other side is closed
                seen = b""
            if not seen:
                raise AssertionError(f"no {text!r} on the terminal: {self.seen!r}")
            self.seen += seen.decode(errors="replace")
        self.seen = self.seen.split(text, 1)[1]

    def type(self, text):
        os.write(self.master, text.encode())

    def exit_code(self):
        return self.client.wait(DEADLINE)
