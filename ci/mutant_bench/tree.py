"""Where a mutant is planted and built."""

import os
import re

from mutant_bench.patches import ROOT, BenchError, run


class Tree:
    """A copy of the tracked files as they are now, its build, and at most one patch."""

    def __init__(self, folder):
        self.source = folder / "tree"
        self.build = folder / "build"
        self.source.mkdir(parents=True, exist_ok=True)
        self.build.mkdir(exist_ok=True)
        self.originals = {}
        listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT)
        if listed.returncode != 0:
            raise BenchError(f"git ls-files: {listed.stderr.strip()}")
        names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
        for name in names:
            self.copy(name)
        for old in self.source.rglob("*"):
            if old.is_file() and str(old.relative_to(self.source)) not in set(names):
                old.unlink()
        self.configure()

    def copy(self, name):
        """Leaves files that are the same alone, so that the build does too."""
        data = (ROOT / name).read_bytes()
        target = self.source / name
        if not target.exists() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def configure(self):
        marker = self.build / "reached.o"
        flags = f"-include {self.source}/tests/mutants/reached.h"
        self.must(["c++", "-O2", "-I", self.source, "-c", self.source / "tests/mutants/reached.cc", "-o", marker])
        self.must(["cmake", "-S", self.source, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                   f"-DCMAKE_CXX_FLAGS={flags}", f"-DCMAKE_EXE_LINKER_FLAGS={marker}"])

    def must(self, command):
        # Paths relative to the tree, so that what one tree compiled serves the next.
        done = run(command, env=dict(os.environ, CCACHE_BASEDIR=str(self.source.parent), CCACHE_NOHASHDIR="1"))
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip().splitlines()
            errors = [line for line in said if "error" in line] or said
            raise BenchError(f"{command[0]} failed: " + "\n  ".join(errors[:4]))

    def git_apply(self, mutant, *options):
        # Else git takes the copy for a part of the repository around it, and skips every file.
        inside = dict(os.environ, GIT_CEILING_DIRECTORIES=str(self.source.parent))
        return run(["git", "apply", *options, mutant.path], cwd=self.source, env=inside)

    def plant(self, mutant):
        self.restore()
        # Put back from here and not from the tree that was copied: somebody may be working on that.
        for name in re.findall(r"^\+\+\+ b/(\S+)", mutant.path.read_text(), re.MULTILINE):
            self.originals[self.source / name] = (self.source / name).read_bytes()
        planted = self.git_apply(mutant)
        if planted.returncode != 0:
            raise BenchError(f"{mutant.id}: the patch does not apply: {planted.stderr.strip()}")

    def restore(self):
        for path, data in self.originals.items():
            path.write_bytes(data)
        self.originals = {}

    def ninja(self, *targets):
        self.must(["ninja", "-C", self.build, *targets])
