"""One function for each thing that is measured.

Each takes the inits and gives back, for every one of them, what it saw. All of
them are measured in turns, round by round, so that what else the machine does
meets them all; the figure is the median of many.
"""

import collections
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = ("start", "forward", "stop", "storm")
CPU = max(os.sched_getaffinity(0))
DEADLINE = 120

# An init to measure: its words before the command, alone and to signal the
# whole group (None for ours, which need no such mode), and its Debian package.
Init = collections.namedtuple("Init", "name words group_words package")


class Bench:
    def __init__(self, folder, inits):
        self.folder = folder
        self.inits = inits
        for name in FIXTURES:
            source = HERE / f"{name}.c"
            subprocess.run(["cc", "-O2", "-Wall", "-static", "-o", folder / name, source], check=True)

    def fixture(self, name, *arguments, pinned=False):
        """Runs a fixture to its end; the lines it printed."""
        command = [self.folder / name, *map(str, arguments)]
        pin = (lambda: os.sched_setaffinity(0, {CPU})) if pinned else None
        done = subprocess.run(
            command, preexec_fn=pin, text=True, timeout=DEADLINE,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        if done.returncode != 0:
            sys.exit(f"bench: {' '.join(map(str, command))}: {done.stderr.strip()}")
        return done.stdout.splitlines()

    def start(self, rounds=20, count=50):
        """From start to exit of `true`, in ms; under None without an init."""
        seen = collections.defaultdict(list)
        for _ in range(rounds):
            for name, words in [(None, []), *((init.name, init.words) for init in self.inits)]:
                seen[name] += self.fixture("start", count, *words, shutil.which("true"), pinned=True)
        return {name: statistics.median(map(int, times)) / 1e6 for name, times in seen.items()}

    def forward(self, rounds=10, count=200):
        """From kill(2) on the init to the handler in its child, in µs: median and 90th percentile."""
        seen = collections.defaultdict(list)
        for _ in range(rounds):
            for name, words in [(None, []), *((init.name, init.words) for init in self.inits)]:
                seen[name] += map(int, self.fixture("forward", count, *words, pinned=True))
        return {name: (statistics.median(times) / 1e3, statistics.quantiles(times, n=10)[8] / 1e3) for name, times in seen.items()}

    def footprint(self):
        """The file in KiB; VmRSS and RssAnon in kB; context switches in ten idle seconds."""
        running = {init.name: self.idle(init) for init in self.inits}
        try:
            time.sleep(0.5)
            memory = {name: (status(init.pid, "VmRSS"), status(init.pid, "RssAnon")) for name, init in running.items()}
            before = {name: switches(init.pid) for name, init in running.items()}
            time.sleep(10)
            after = {name: switches(init.pid) for name, init in running.items()}
        finally:
            for init in running.values():
                end(init)
        return {
            init.name: {
                "file": os.path.getsize(init.words[0]) / 1024,
                "rss": memory[init.name][0],
                "anonymous": memory[init.name][1],
                "wake-ups": after[init.name] - before[init.name],
            }
            for init in self.inits
        }

    def idle(self, init):
        """Starts the init with a child that does nothing, and waits until that one is there."""
        process = subprocess.Popen([*init.words, "sleep", "1000"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + DEADLINE
        while not any(comm(child) == "sleep" for child in children(process.pid)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{init.name} does not start its command")
            time.sleep(0.01)
        return process

    def storm(self, rounds=3, count=20_000):
        """CPU time of the init for each orphan that it adopts and reaps as PID 1, in µs."""
        seen = collections.defaultdict(list)
        for _ in range(rounds):
            for init in self.inits:
                seen[init.name].append(self.storm_once(init, count) / count / 1e3)
        return {name: statistics.median(times) for name, times in seen.items()}

    def storm_once(self, init, count):
        namespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        command = [*namespace, *init.words, self.folder / "storm", str(count)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as outside:
            (pid,) = await_truth(lambda: children(outside.pid), f"{init.name} does not start")
            try:
                before = cpu_ns(pid)
                if outside.stdout.readline() != b"done\n":
                    raise RuntimeError(f"{init.name} did not bear the storm")
                await_truth(lambda: len(children(pid)) == 1, f"{init.name} does not reap")
                return cpu_ns(pid) - before
            finally:
                os.kill(pid, 9)

    def stop(self, kind, counts):
        """A stop below a default-action parent: for each count and init what `stop` (stop.c) prints.

        The peers are asked in their group mode, for only so do they tell anyone
        but the parent; under None is a bare kill(2) on the group.
        """
        seen = collections.defaultdict(list)
        most = max(counts.values())
        for round in range(most):
            for count, rounds in counts.items():
                if round >= rounds:
                    continue
                seen[count, None].append(self.stop_once("group", kind, count, []))
                for init in self.inits:
                    seen[count, init.name].append(self.stop_once("init", kind, count, init.group_words))
        return {key: median_of_each(figures) for key, figures in seen.items()}

    def stop_of_one(self, inits, count, rounds=30):
        """A stop of the main process alone (count 0), or of its only child, which it leaves behind (1)."""
        seen = collections.defaultdict(list)
        for _ in range(rounds):
            for init in inits:
                seen[init.name].append(self.stop_once("init", "handlers", count, init.words, pinned=True))
        return {name: median_of_each(figures) for name, figures in seen.items()}

    def stop_once(self, how, kind, count, words, pinned=False):
        return json.loads(self.fixture("stop", how, kind, count, *words, pinned=pinned)[0])


def median_of_each(figures):
    return {field: statistics.median(each[field] for each in figures) for field in figures[0]}


def await_truth(question, complaint):
    deadline = time.monotonic() + DEADLINE
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise RuntimeError(complaint)
        time.sleep(0.01)
    return answer


def proc(pid, *path):
    return pathlib.Path("/proc", str(pid), *path).read_text()


def status(pid, field):
    return next(int(line.split()[1]) for line in proc(pid, "status").splitlines() if line.startswith(field + ":"))


def comm(pid):
    return proc(pid, "comm").strip()


def children(pid):
    return [int(child) for child in proc(pid, "task", str(pid), "children").split()]


def threads(pid):
    return os.listdir(f"/proc/{pid}/task")


def switches(pid):
    """Context switches so far of all threads: an idle program has none."""
    return sum(
        int(line.split()[1])
        for thread in threads(pid)
        for line in proc(pid, "task", thread, "status").splitlines()
        if "ctxt_switches" in line
    )


def cpu_ns(pid):
    """Time on a CPU, to the nanosecond (/proc/PID/stat counts in ticks of 10 ms)."""
    return sum(int(proc(pid, "task", thread, "schedstat").split()[0]) for thread in threads(pid))


def end(init):
    """Kills its child, after which it reaps it and leaves by itself."""
    for child in children(init.pid):
        os.kill(child, 9)
    init.wait(DEADLINE)


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)
