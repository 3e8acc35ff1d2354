"""The root that every container of these tests starts from.

Made by hand from what the machine has: busybox, dash, Python and the inits,
each with the libraries that ldd names. That takes two seconds and no network.
"""

import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
BASE = "base"
PYTHON = "/usr/bin/python3"
APPLETS = ["cat", "echo", "env", "kill", "ls", "ps", "sleep"]
LEFT_OUT = ["test", "idlelib", "lib2to3", "ensurepip", "pydoc_data", "dist-packages", "config-*", "__pycache__"]


def ours(variable, name):
    """The binary under test, which is never built here."""
    binary = pathlib.Path(os.environ.get(variable) or REPOSITORY / "target/debug" / name)
    if not binary.exists():
        raise SystemExit(f"containers: {binary} is not there: build it, or set {variable}")
    return binary.resolve()


def load(engine):
    """Puts the root together and gives it to the engine as the image `base`."""
    root = engine.work / "root"
    for folder in ("bin", "dev", "etc", "proc", "sys", "tmp", "usr/bin", "volume"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)

    add(root, "/bin/busybox")
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    add(root, os.path.realpath("/bin/dash"), "/bin/sh")
    add_python(root)

    for peer in ("tini", "dumb-init", "catatonit"):
        add(root, shutil.which(peer), f"/usr/bin/{peer}")
    add(root, ours("OUTRO", "outro"), "/usr/bin/outro")
    add(root, ours("OUTRO_INIT", "outro-init"), "/usr/bin/outro-init")
    (root / "usr/bin/docker-init").symlink_to("outro")

    for fixture in ("app.py", "fill.py"):
        shutil.copy(HERE / fixture, root / fixture)
    give(engine, root, BASE)


def static_outro():
    """The binary under test if it is static; else the one of `make release`, if it is there."""
    release = REPOSITORY / "target/x86_64-unknown-linux-musl/release/outro"
    return next((binary for binary in (ours("OUTRO", "outro"), release) if binary.exists() and not libraries(binary)), None)


def load_minimal(engine, outro):
    root = engine.work / "minimal-root"
    (root / "volume").mkdir(parents=True)
    copy(outro, root / "outro")
    copy("/bin/busybox", root / "busybox")
    return give(engine, root, "minimal")


def give(engine, root, name):
    """Hands a root to the engine, as the image of this name."""
    archive = engine.work / f"{name}.tar"
    subprocess.run(["tar", "--create", "--file", archive, "--directory", root, "."], check=True)
    engine.docker("import", archive, name)
    return name


def add(root, source, target=None):
    """Copies a program, and the libraries it is linked with, to the same place."""
    copy(source, root / str(target or source).lstrip("/"))
    for library in libraries(source):
        copy(library, root / library.lstrip("/"))


def libraries(program):
    listed = subprocess.run(["ldd", program], text=True, capture_output=True)  # says nothing of a static one
    return re.findall(r"(/\S+) \(0x", listed.stdout)


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(os.path.realpath(source), target)


def add_python(root):
    library = subprocess.run(
        [PYTHON, "-c", "import os; print(os.path.dirname(os.__file__))"], text=True, capture_output=True, check=True
    ).stdout.strip()
    add(root, os.path.realpath(PYTHON), PYTHON)
    shutil.copytree(library, root / library.lstrip("/"), ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
