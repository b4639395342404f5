"""Where a mutant is planted and built."""

import os
import re

from mutant_bench.patches import ROOT, BenchError, run


class Tree:
    """A copy of the tracked files as they are now, its build, and at most one patch."""

    def __init__(self, folder):
        self.source = folder / "tree"
        self.build = self.source / "build" / "release"
        self.build.mkdir(parents=True, exist_ok=True)
        self.originals = {}
        listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT)
        if listed.returncode != 0:
            raise BenchError(f"git ls-files: {listed.stderr.strip()}")
        names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
        for name in names:
            self.copy(name)
        for old in self.source.iterdir():
            if old.name != "build":
                self.forget(old, set(names))
        self.configure()

    def forget(self, old, names):
        """Deletes what is no longer among the tracked files."""
        for file in [old] if old.is_file() else old.rglob("*"):
            if file.is_file() and str(file.relative_to(self.source)) not in names:
                file.unlink()

    def copy(self, name):
        """Leaves files that are the same alone, so that the build does too."""
        data = (ROOT / name).read_bytes()
        target = self.source / name
        if not target.exists() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def configure(self):
        self.must(["c++", "-O2", "-I", self.source, "-c", self.source / "tests/mutants/reached.cc", "-o", self.marker])
        self.must(["cmake", "--preset", "release", "-S", self.source, f"-DCMAKE_EXE_LINKER_FLAGS={self.marker}"])

    @property
    def marker(self):
        return self.build / "reached.o"

    def must(self, command):
        done = run(command, cwd=self.source)
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
        for path in self.originals:
            text = path.read_text()
            if "MutantReached()" in text:
                path.write_text('#include "tests/mutants/reached.h"\n' + text)

    def restore(self):
        for path, data in self.originals.items():
            path.write_bytes(data)
        self.originals = {}

    def ninja(self, *targets):
        self.must(["ninja", "-C", self.build, *targets])
