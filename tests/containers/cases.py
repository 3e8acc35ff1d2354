"""The cases: each a sentence that holds, for a container with outro in front."""

import concurrent.futures
import json
import traceback

import image
from engine import Engine
from terminal import Terminal

LOOP = ["sh", "-c", "while true; do python3 /app.py; sleep 1; done"]
TERM, RTMIN_3 = 15, 37

# `docker stop` gives 10 s if it is not told otherwise. Here it gives more, so that a stop that
# hangs is told from a machine that is slow.
GRACE = 60
FAR_LESS_THAN_THE_GRACE = 30

# The inits that a person may have in front today, with the flags of `docker run`.
PEERS = {
    "no init": ([], []),
    "docker run --init": ([], ["--init"]),
    "tini": (["tini", "--"], []),
    "tini -g": (["tini", "-g", "--"], []),
    "dumb-init": (["dumb-init", "--"], []),
    "catatonit": (["catatonit", "--"], []),
}
OURS = {
    "outro": (["outro", "--"], []),
    "outro-init": (["outro-init", "--"], []),
    "outro named docker-init": (["docker-init", "--"], []),
}

CASES = []


def case(sentence):
    def add(function):
        CASES.append((sentence, function))
        return function

    return add


class Skipped(Exception):
    """Raised with the reason by a case that cannot be tried here."""


def run_all(work, words):
    """Prints a line for each case, and counts them; 0 when none has failed."""
    passed = failed = skipped = 0
    with Engine(work) as engine:
        image.load(engine)
        for sentence, function in CASES:
            if words and not any(word in sentence for word in words):
                continue
            try:
                note = function(engine)
            except Skipped as reason:
                skipped += 1
                print(f"skip  {sentence}: {reason}", flush=True)
            except Exception as problem:
                failed += 1
                print(f"FAIL  {sentence}: {problem}", flush=True)
                if not isinstance(problem, AssertionError):
                    traceback.print_exc()
            else:
                passed += 1
                print(f"ok    {sentence}" + (f" ({note})" if note else ""), flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


def entrypoint(engine, words, *more):
    """An image as a person would build it: our root with this init in front."""
    return engine.build("\n".join([f"FROM {image.BASE}", f"ENTRYPOINT {json.dumps(words)}", *more]))


def outro(engine, *more, flags=()):
    return entrypoint(engine, ["outro", *flags, "--"], *more)


def check(truth, complaint):
    if not truth:
        raise AssertionError(complaint)


def check_graceful(container, took, **expected):
    note = check_cleaned(container, took, **expected)
    log = container.log()
    check(log.endswith("app: the last line"), f"the last line is not in the log, or not the last: {log!r}")
    return note


def check_cleaned(container, took, exit_code=128 + TERM, signal=TERM):
    cleaned, code = container.trace("app.cleaned"), container.exit_code
    seen = f"{took:.1f} s, exit code {code}, clean-up ended with {cleaned!r}"
    right = (cleaned, code) == (str(signal), exit_code) and took < FAR_LESS_THAN_THE_GRACE
    check(right, f"{seen}; the log: {container.log()!r}")
    return f"{took:.1f} s"


def stop_the_loop(engine, img, flags=(), command=LOOP, **expected):
    with engine.start(img, *command, flags=flags) as container:
        container.await_trace("app.ready")
        took = container.stop(GRACE)
        return check_graceful(container, took, **expected)


# --- The loop of a Procfile line, whose program needs 1.5 s to clean up ---


STOPPED = {}


def stopped(engine, name):
    """The stopped container of this init, and how long that took.

    All of them are stopped at the same time, since some last the whole grace.
    """
    if not STOPPED:
        containers = {
            each: engine.start(entrypoint(engine, words) if words else image.BASE, *LOOP, flags=flags)
            for each, (words, flags) in {**PEERS, **OURS}.items()
        }
        with concurrent.futures.ThreadPoolExecutor(len(containers)) as pool:
            for each, container in containers.items():
                STOPPED[each] = pool.submit(stop_when_ready, container, grace=10 if each in PEERS else GRACE)
    return STOPPED[name].result()


def stop_when_ready(container, grace):
    container.await_trace("app.ready")
    return container, container.stop(grace)


def is_cut_off(name):
    def function(engine):
        container, took = stopped(engine, name)
        check(container.trace("app.cleaned") is None, "it was not: is this still the case we are made for?")
        return f"{took:.1f} s, exit code {container.exit_code}"

    return function


def is_graceful(name):
    def function(engine):
        return check_graceful(*stopped(engine, name))

    return function


for peer in PEERS:
    case(f"control: with {peer} in front the clean-up is cut off")(is_cut_off(peer))
for front in OURS:
    case(f"{front}: the clean-up finishes, the last line is logged, the exit code is the main process's")(is_graceful(front))


@case("docker run --init with outro as the engine's docker-init lets the clean-up finish")
def docker_run_init(engine):
    before = engine.init_link.resolve()
    engine.use_as_docker_init(image.ours("OUTRO", "outro"))
    try:
        return stop_the_loop(engine, image.BASE, flags=["--init"])
    finally:
        engine.use_as_docker_init(before)


# --- What an image or a platform may ask for ---


@case("STOPSIGNAL SIGRTMIN+3 is a stop like any other with --stop-signal")
def real_time_stop_signal(engine):
    img = outro(engine, "STOPSIGNAL SIGRTMIN+3", flags=["--stop-signal", "RTMIN+3"])
    return stop_the_loop(engine, img, exit_code=128 + RTMIN_3, signal=RTMIN_3)


@case("STOPSIGNAL SIGRTMIN+3 can be rewritten to the TERM that the program knows")
def rewritten_stop_signal(engine):
    img = outro(engine, "STOPSIGNAL SIGRTMIN+3", "ENV OUTRO_REWRITE=RTMIN+3:TERM", "ENV OUTRO_STOP_SIGNAL=RTMIN+3")
    return stop_the_loop(engine, img)


@case("the exit report is found in a bind-mounted /dev/termination-log")
def termination_log(engine):
    report_file = engine.work / "termination-log"
    report_file.touch()
    flags = ["--volume", f"{report_file}:/dev/termination-log"]
    stop_the_loop(engine, outro(engine, flags=["--report", "/dev/termination-log"]), flags=flags)
    report = json.loads(report_file.read_text())
    check(report["exit_code"] == 128 + TERM, f"exit_code is {report['exit_code']}")
    check(report["stop"]["signal"] == "TERM", f"stop is {report['stop']}")
    apps = [process for process in report["processes"] if "app.py" in process["command"] and "while" not in process["command"]]
    check(len(apps) == 1, f"the program is not named once: {report['processes']}")
    check(apps[0]["left"]["how"] == "exit 0" and apps[0]["outcome"] == "left", f"the program's end is {apps[0]}")
    check(len(report_file.read_bytes()) <= 4096, "more than the 4096 bytes that Kubernetes keeps")
    return f"{len(report_file.read_bytes())} bytes"


@case("an image of nothing but outro and a static busybox is enough")
def image_from_scratch(engine):
    binary = image.static_outro()
    if binary is None:
        raise Skipped("no static outro is built: make release")
    sleep, touch = "/busybox sleep", "/busybox touch"
    clean_up = f"{sleep} 1; echo -n {TERM} >/volume/app.cleaned; exit 0"
    app = f"trap '{clean_up}' TERM; {touch} /volume/app.ready; while true; do {sleep} 1; done"
    loop = f'while true; do /busybox sh -c "$APP"; {sleep} 1; done'
    words = ["/outro", "--", "/busybox", "sh", "-c", loop]
    with engine.start(image.load_minimal(engine, binary), *words, flags=["--env", f"APP={app}"]) as container:
        container.await_trace("app.ready")
        return check_cleaned(container, container.stop(GRACE))


@case("a read-only root does not matter, not even when the report was to go there")
def read_only_root(engine):
    img = outro(engine, "ENV OUTRO_REPORT=/report.json")
    with engine.start(img, *LOOP, flags=["--read-only"]) as container:
        container.await_trace("app.ready")
        took = container.stop(GRACE)
        log = container.log()
        check("/report.json" in log, f"the report is missed in silence: {log!r}")
        return check_cleaned(container, took)


@case("a user that is not root, without capabilities, does not matter")
def other_user(engine):
    return stop_the_loop(engine, outro(engine, "USER 1000:1000"), flags=["--cap-drop", "ALL"])


@case("a loop in a container that may have only four processes is stopped")
def tight_limit(engine):
    return stop_the_loop(engine, outro(engine), flags=["--pids-limit", "4"])


def stop_the_crowd(engine, fill, flags):
    loop = f"while true; do python3 {fill}; sleep 1; done"
    with engine.start(outro(engine), "sh", "-c", loop, flags=flags) as container:
        container.await_trace("app.full")
        return check_cleaned(container, container.stop(GRACE))


@case("a container that is full to its --pids-limit is stopped")
def full_container(engine):
    return stop_the_crowd(engine, "/fill.py", ["--pids-limit", "64"])


@case("a container that may open only 32 files stops its hundred processes")
def few_files(engine):
    return stop_the_crowd(engine, "/fill.py 100", ["--ulimit", "nofile=32:32"])


@case("an engine whose seccomp profile does not know pidfds does not matter")
def no_pidfds(engine):
    """As Docker before 20.10: what its profile does not list fails with EPERM."""
    refused = {"names": ["pidfd_open", "pidfd_send_signal"], "action": "SCMP_ACT_ERRNO"}
    profile = engine.work / "seccomp.json"
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [refused]}))
    return stop_the_loop(engine, outro(engine), flags=["--security-opt", f"seccomp={profile}"])


@case("with --grace outro is gone before the engine's kill, and names whom it killed")
def deadline_holds(engine):
    loop = "while true; do python3 /app.py slow 100; sleep 1; done"
    with engine.start(outro(engine, "ENV OUTRO_GRACE=5s"), "sh", "-c", loop) as container:
        container.await_trace("slow.ready")
        took = container.stop(grace=10)
        log = container.log()
        check(container.exit_code == 128 + TERM, f"exit code {container.exit_code}: the engine killed outro? {log!r}")
        check("outro: killed" in log and "app.py slow" in log, f"nobody is named: {log!r}")
        return f"{took:.1f} s"


# --- What else happens to containers ---


@case("behind docker run --init, where outro is not PID 1, the clean-up finishes too")
def behind_another_init(engine):
    return stop_the_loop(engine, outro(engine), flags=["--init"])


@case("in a PID namespace shared with another container, only outro's own are told")
def shared_namespace(engine):
    with engine.start(image.BASE, "python3", "/app.py", "neighbour") as neighbour:
        neighbour.await_trace("neighbour.ready")
        note = stop_the_loop(engine, outro(engine), flags=["--pid", f"container:{neighbour.id}"])
        check(neighbour.running() and neighbour.trace("neighbour.cleaned") is None, "the neighbour was told")
        check(neighbour.log() == "", f"the neighbour was told: {neighbour.log()!r}")
        return note


@case("asked a second time to stop, outro goes on with the first stop")
def stop_twice(engine):
    with engine.start(outro(engine), *LOOP) as container:
        container.await_trace("app.ready")
        engine.docker("kill", "--signal", "TERM", container.id)
        took = container.stop(GRACE)
        check(container.log().count("cleaning up") == 1, f"the program was told twice: {container.log()!r}")
        return check_graceful(container, took)


@case("a stop beats a restart")
def stop_beats_restart(engine):
    img = outro(engine, "ENV OUTRO_RESTART=always")
    return stop_the_loop(engine, img, command=["python3", "/app.py"], exit_code=0)


@case("what is piped into docker run -i arrives")
def standard_input(engine):
    done = engine.docker("run", "--rm", "-i", "--network", "none", outro(engine), "cat", input="some lines\nand more")
    check(done.stdout == "some lines\nand more", f"{done.stdout!r} came back")


@case("a program left open by docker exec does not hold up the stop")
def exec_at_stop(engine):
    with engine.start(outro(engine), *LOOP) as container:
        container.await_trace("app.ready")
        container.execute("python3", "/app.py", "visitor", "100", detach=True)
        container.await_trace("visitor.ready")
        return check_graceful(container, container.stop(GRACE))


@case("what docker exec left in the background is told, and waited for")
def exec_orphan(engine):
    with engine.start(outro(engine), *LOOP) as container:
        container.await_trace("app.ready")
        container.execute("sh", "-c", "python3 /app.py orphan 2 >/dev/null 2>&1 &")
        container.await_trace("orphan.ready")
        took = container.stop(GRACE)
        check(container.trace("orphan.cleaned") == str(TERM), "its clean-up was cut off")
        return check_graceful(container, took)


@case("a signal sent by docker kill reaches the main process")
def docker_kill(engine):
    with engine.start(outro(engine), "python3", "/app.py") as container:
        container.await_trace("app.ready")
        engine.docker("kill", "--signal", str(RTMIN_3), container.id)
        engine.docker("wait", container.id)
        check(container.trace("app.cleaned") == str(RTMIN_3), f"it did not: {container.log()!r}")
        check(container.exit_code == 0, f"exit code {container.exit_code}")


@case("with ENTRYPOINT [outro, --] a command given to docker run takes the place of CMD")
def command_override(engine):
    img = outro(engine, 'CMD ["sh", "-c", "exit 3"]')
    codes = {
        (): 3,
        ("sh", "-c", "exit 7"): 7,
        ("sh", "-c", "kill -9 $$"): 137,
        ("/nowhere",): 127,
        ("/etc",): 126,
    }
    for command, expected in codes.items():
        done = engine.docker("run", "--rm", "--network", "none", img, *command, check=False)
        check(done.returncode == expected, f"{command} gave {done.returncode}, not {expected}: {done.stderr}")


# --- A person at a terminal ---


@case("docker run -it: ^C ends a loop with 130")
def control_c(engine):
    with Terminal(engine, outro(engine), "sh", "-c", "echo ready; while true; do sleep 1; done") as terminal:
        terminal.await_text("ready")
        terminal.type("\x03")
        code = terminal.exit_code()
        check(code == 130, f"exit code {code}")


@case("docker run -it: a shell has job control, and its exit code comes back")
def job_control(engine):
    with Terminal(engine, outro(engine), "sh") as terminal:
        terminal.await_text("# ")
        terminal.type("sh -c 'echo re''ady; exec sleep 1000'\n")
        terminal.await_text("ready\r\n")
        terminal.type("\x1a")
        terminal.await_text("Stopped")
        terminal.type("kill -9 %1\n")
        terminal.type("exit 5\n")
        terminal.type("exit 5\n")  # dash asks once when jobs are stopped
        code = terminal.exit_code()
        check(code == 5, f"exit code {code}")
