"""The patches of tests/mutants and what their headers say."""

import dataclasses
import hashlib
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATCHES = ROOT / "tests" / "mutants"
PROFILES = ("raft", "shard")  # of `lockstep-sim run`
NEEDED = {"bug": ("Breaks", "Faults", "Source"), "benign": ("Benign",), "harness": ("Breaks",)}


class BenchError(Exception):
    """What a person must mend before anything can be measured."""


@dataclasses.dataclass
class Mutant:
    """One patch and what its header says."""

    path: pathlib.Path
    kind: str  # bug, benign or harness
    id: str
    title: str
    fields: dict

    @property
    def profiles(self):
        """Where it is hunted: as the header says; else a bug in one group, and what must not matter everywhere."""
        if "Profile" in self.fields:
            return (self.fields["Profile"],)
        return ("raft",) if self.kind == "bug" else PROFILES

    @property
    def digest(self):
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]


def read_mutant(path):
    kind = path.parent.name if path.parent != PATCHES else "bug"
    header = []
    for line in path.read_text().splitlines():
        if not line.startswith("# "):
            break
        header.append(line[2:])
    first = re.fullmatch(r"(\w+): (.+)", header[0]) if header else None
    if first is None or first[1] != path.stem:
        raise BenchError(f"{path}: must begin with \"# {path.stem}: what the mistake is\"")
    fields = {}
    for line in header[1:]:
        if match := re.match(r"([A-Z][a-z ]+): (.+)", line):
            name, fields[match[1]] = match[1], match[2]
        elif fields:
            fields[name] += " " + line
    if fields.get("Profile", PROFILES[0]) not in PROFILES:
        raise BenchError(f"{path}: \"# Profile: {fields['Profile']}\" is none of {', '.join(PROFILES)}")
    for name in NEEDED[kind]:
        if name not in fields:
            raise BenchError(f"{path}: the header lacks \"# {name}: …\"")
    if kind == "bug" and "MutantReached()" not in path.read_text():
        raise BenchError(f"{path}: no MutantReached() says when the mistake made a difference")
    return Mutant(path, kind, first[1], first[2], fields)


def read_mutants(ids):
    """Those with these IDs, or all: bugs, benign changes, damage to the simulator."""
    paths = sorted(PATCHES.rglob("*.patch"))
    unknown = set(ids) - {path.stem for path in paths}
    if unknown:
        raise BenchError(f"no such mutant: {', '.join(sorted(unknown))} (they are in tests/mutants)")
    mutants = [read_mutant(path) for path in paths if not ids or path.stem in ids]
    order = {"bug": 0, "benign": 1, "harness": 2}
    return sorted(mutants, key=lambda m: (order[m.kind], m.id))


def run(command, **options):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)
