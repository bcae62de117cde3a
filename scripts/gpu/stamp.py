"""stamp.json of a bundle: what its programs were made from, and their hashes.

The hash of the sources is over the files themselves and needs no git, so that it can be taken where only a
copy of the working tree has come along: there, a bundle of other sources is refused."""

import hashlib
import json
import os
import sys

NAME = "stamp.json"
TORCH = "2.11"  # what the C++ part is compiled against

FOLDERS = ["cmd", "datasets", "flow", "models", "trainer", "viz", "third_party/gotorch", "scripts/gpu", "scripts/peer"]
FILES = ["go.mod", "go.sum", "scripts/gpu-bundle", "scripts/gpu-check", "scripts/peer/steps"]
ENDINGS = (".go", ".c", ".cc", ".h", ".cuh", ".cpp", ".py", ".txt", ".json", ".mod", ".sum")
NOT_SOURCES = {"third_party/gotorch/lib", "third_party/gotorch/build"}


def hash_file(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            h.update(block)
    return h.hexdigest()


def sources(root):
    for name in FILES:
        if os.path.isfile(os.path.join(root, name)):
            yield name
    for top in FOLDERS:
        for folder, below, names in os.walk(os.path.join(root, top)):
            relative = os.path.relpath(folder, root)
            below[:] = sorted(d for d in below if os.path.join(relative, d) not in NOT_SOURCES and d != "__pycache__")
            for name in sorted(names):
                if name.endswith(ENDINGS):
                    yield os.path.join(relative, name)


def tree_hash(root):
    h = hashlib.sha256()
    for name in sources(root):
        h.update(("%s %s\n" % (name, hash_file(os.path.join(root, name)))).encode())
    return h.hexdigest()


def files(bundle):
    """Everything in a bundle but the stamp and data."""
    for folder, below, names in os.walk(bundle):
        below[:] = sorted(d for d in below if d not in ("data", "__pycache__"))
        for name in sorted(names):
            relative = os.path.relpath(os.path.join(folder, name), bundle)
            if relative != NAME:
                yield relative


def write(bundle, root, commit):
    stamp = {"commit": commit, "sources": tree_hash(root), "torch": TORCH, "files": {n: hash_file(os.path.join(bundle, n)) for n in files(bundle)}}
    with open(os.path.join(bundle, NAME), "w") as f:
        json.dump(stamp, f, indent=1)
        f.write("\n")


def read(bundle):
    """(stamp, None), or (None, what is wrong in one line)."""
    if not os.path.isdir(bundle):
        return None, "%s: there is no such folder; scripts/gpu-bundle makes it" % bundle
    try:
        with open(os.path.join(bundle, NAME)) as f:
            stamp = json.load(f)
        stamp["commit"], stamp["sources"], stamp["torch"], stamp["files"]  # noqa: B018
    except (OSError, ValueError, KeyError, TypeError):
        return None, "%s is no bundle: %s is missing or damaged; scripts/gpu-bundle makes one" % (bundle, NAME)
    return stamp, None


def wrong(stamp, bundle, root):
    """What is wrong with a bundle, in one line, or None. root is the sources beside it, or None."""
    for name, want in stamp["files"].items():
        path = os.path.join(bundle, name)
        if not os.path.isfile(path):
            return "%s: %s is missing; make the bundle anew with scripts/gpu-bundle" % (bundle, name)
        if hash_file(path) != want:
            return "%s: %s is not the one that was packed at commit %s; make the bundle anew with scripts/gpu-bundle" % (bundle, name, stamp["commit"])
    if root and tree_hash(root) != stamp["sources"]:
        return "%s was made at commit %s, of other sources than those in %s; make it anew with scripts/gpu-bundle" % (bundle, stamp["commit"], root)
    return None


def root_beside(bundle):
    """The sources that a bundle lies in or beside, or None."""
    folder = os.path.abspath(bundle)
    while True:
        if os.path.isfile(os.path.join(folder, "scripts", "gpu-bundle")) and os.path.isfile(os.path.join(folder, "go.mod")):
            return folder
        up = os.path.dirname(folder)
        if up == folder:
            return None
        folder = up


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], sys.argv[3])
