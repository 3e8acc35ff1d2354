"""A Docker engine that lives as long as the run, and its containers."""

import json
import os
import pathlib
import shutil
import subprocess
import time

DEADLINE = 120


class Engine:
    """dockerd with all that it keeps in one folder, and no network."""

    def __init__(self, work):
        self.work = work
        self.client = "/usr/bin/docker" if os.path.exists("/usr/bin/docker") else shutil.which("docker")
        socket = f"unix://{work}/docker.sock"
        self.environment = {
            **os.environ,
            "DOCKER_HOST": socket,
            "DOCKER_CONFIG": f"{work}/client",
            "DOCKER_BUILDKIT": "0",
        }
        # What `docker run --init` mounts: a link, so that a case can change it.
        self.init_link = work / "docker-init"
        self.use_as_docker_init(shutil.which("docker-init") or shutil.which("tini-static") or shutil.which("tini"))
        settings = {
            "hosts": [socket],
            "data-root": f"{work}/data",
            "exec-root": f"{work}/exec",
            "pidfile": f"{work}/docker.pid",
            "init-path": str(self.init_link),
            "cgroup-parent": f"/{work.name}",
            "bridge": "none",
            "iptables": False,
            "ip6tables": False,
        }
        config = work / "daemon.json"
        config.write_text(json.dumps(settings))
        self.log = work / "dockerd.log"
        with self.log.open("w") as log:
            self.daemon = subprocess.Popen(["dockerd", "--config-file", config], stdout=log, stderr=log)
        self.await_answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.terminate()
        try:
            self.daemon.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.daemon.kill()

    def await_answer(self):
        deadline = time.monotonic() + DEADLINE
        while self.docker("version", check=False).returncode != 0:
            if self.daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dockerd does not answer:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def docker(self, *arguments, check=True, **options):
        """Runs the client to its end; the text of both outputs is captured."""
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        done = subprocess.run(
            [self.client, *map(str, arguments)],
            env=self.environment, text=True, capture_output=True, timeout=DEADLINE, **options,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise RuntimeError(f"docker {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done

    def build(self, dockerfile):
        """Builds an image and returns its id."""
        return self.docker("build", "--quiet", "-", input=dockerfile).stdout.strip()

    def use_as_docker_init(self, binary):
        fresh = self.work / "docker-init.new"
        fresh.symlink_to(binary)
        fresh.rename(self.init_link)

    def start(self, image, *command, flags=()):
        return Container(self, image, command, flags)


class Container:
    """A running container with a volume where its programs leave their traces."""

    count = 0

    def __init__(self, engine, image, command, flags):
        Container.count += 1
        self.engine = engine
        self.volume = engine.work / f"volume-{Container.count}"
        self.volume.mkdir()
        self.volume.chmod(0o777)
        mount = ["--volume", f"{self.volume}:/volume"]
        done = engine.docker("run", "--detach", "--network", "none", *mount, *flags, image, *command)
        self.id = done.stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.docker("rm", "--force", self.id)

    def await_trace(self, name):
        """Waits until a program in the container has left this file."""
        deadline = time.monotonic() + DEADLINE
        while self.trace(name) is None:
            if time.monotonic() > deadline or not self.running():
                raise AssertionError(f"no {name!r} on the volume; the container says: {self.log()!r}")
            time.sleep(0.05)

    def trace(self, name):
        file = self.volume / name
        return file.read_text() if file.exists() else None

    def inspect(self, what):
        return self.engine.docker("inspect", "--format", "{{.State." + what + "}}", self.id).stdout.strip()

    def running(self):
        return self.inspect("Running") == "true"

    @property
    def exit_code(self):
        return int(self.inspect("ExitCode"))

    def log(self):
        done = self.engine.docker("logs", self.id)
        return done.stdout + done.stderr

    def execute(self, *command, detach=False):
        self.engine.docker("exec", *(["--detach"] if detach else []), self.id, *command)

    def stop(self, grace):
        """`docker stop`, and how many seconds it took."""
        asked = time.monotonic()
        self.engine.docker("stop", "--time", grace, self.id)
        return time.monotonic() - asked
