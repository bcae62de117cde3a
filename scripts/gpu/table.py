"""The table that gpu-check ends with."""

import math

OURS = ["ours", "ours, graph", "ours, graph, libtorch's kernels", "ours, graph, cuDNN's best ways"]
THEIRS = ["PyTorch", "PyTorch, compiled", "PyTorch, graph"]
WHO = OURS + THEIRS


def render(results, titles, status):
    """status: None while the check goes on."""
    results = sorted(results, key=lambda r: r["part"])  # parts that ran at the same time
    out = heading(results) + parts(results, titles, status)
    for section in (speeds, comparisons, findings, not_done):
        out += section(results)
    return "\n".join(out) + "\n"


def rows_of(results, *status):
    return [r for r in results if r["status"] in status and r["name"] != "part" and r.get("kind") != "speed"]


def heading(results):
    about = next((r for r in results if r["name"] == "bundle"), {})
    card = next((r["value"] for r in results if r["name"] == "card"), None)
    on = ", ".join(filter(None, [card, about.get("machine"), "PyTorch %s" % about.get("pytorch", "?")]))
    return ["# gpu-check of %s on %s" % (about.get("value", "?"), about.get("device", "?")), "", on, ""]


def parts(results, titles, status):
    ends = {r["part"]: r for r in results if r["name"] == "part"}
    out = ["| part | | | seconds | fine | failed | skipped | not built |", "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"]
    for n in sorted(ends):
        end = ends[n]
        own = [r for r in results if r["part"] == n and r["name"] != "part"]
        count = lambda *s: sum(r["status"] in s for r in own)  # noqa: E731
        how = end["status"] + (": " + end["why"] if end.get("why") else "")
        out.append("| %d | %s | %s | %.0f | %d | %d | %d | %d |" % (
            n, titles.get(n, ""), how, end["seconds"], count("ok"), count("failed"), count("skipped"), count("not built"),
        ))  # fmt: skip
    bad = ["part %d %s" % (n, e["status"]) for n, e in sorted(ends.items()) if e["status"] != "done"]
    if status is None:
        return out + ["", "Parts are still to come.", ""]
    return out + ["", "Exit status %d%s." % (status, ": " + ", ".join(bad) if bad else ": all is well" if status == 0 else ""), ""]


def speeds(results):
    rows = [r for r in results if r.get("kind") == "speed"]
    if not rows:
        return []
    out = [
        "## Milliseconds a step", "",
        "Medians of windows after the warm-up, a second or so each, taken in turn; ratio: PyTorch's time over ours. Memory: the most that",
        "tensors held on a GPU, on a processor the most that the process held.", "",
        "| job | " + " | ".join(WHO) + " | ratio | memory, ours | PyTorch |",
        "| --- | " + " | ".join(["---:"] * (len(WHO) + 3)) + " |",
    ]  # fmt: skip
    jobs = []
    for r in rows:
        if r["name"] not in jobs:
            jobs.append(r["name"])
    for job in jobs:
        by = {r["who"]: r for r in rows if r["name"] == job}  # the latest of each counts
        ours = [by[w] for w in OURS if w in by and "ms" in by[w]]
        theirs = [by[w] for w in THEIRS if w in by and "ms" in by[w]]
        ratio = "%.2f" % (min(r["ms"] for r in theirs) / min(r["ms"] for r in ours)) if ours and theirs else ""
        memory = [mebibytes(next((r for r in rows_ if "ms" in r), {})) for rows_ in (ours, theirs)]
        out.append("| %s | %s | %s | %s |" % (clean(job), " | ".join(cell(by.get(w)) for w in WHO), ratio, " | ".join(memory)))
    whys = ["- %s, %s: %s, %s" % (clean(r["name"]), r["who"], r["status"], clean(r["why"])) for r in rows if r.get("why")]
    return out + [""] + (whys + [""] if whys else [])


def cell(row):
    if row is None:
        return ""
    if "ms" not in row:
        return {"skipped": "not in time", "info": "fails"}.get(row["status"], row["status"])  # info: that another's fails
    return "%s (%s to %s)" % (number(row["ms"]), number(row["low"]), number(row["high"]))


def mebibytes(row):
    size = row.get("peak_gpu_bytes") or row.get("peak_bytes")
    return "%d MiB" % (size >> 20) if size else ""


def comparisons(results):
    rows = [r for r in results if r["status"] in ("failed", "ok") and r["name"] != "part" and r.get("kind") != "speed"]
    if not rows:
        return []
    # What failed comes first, then what was measured; what is merely fine needs no line.
    rows = [r for r in rows if r["status"] == "failed"] + [r for r in rows if r["status"] == "ok" and "value" in r]
    if not rows:
        return []
    out = ["## Comparisons", "", "| part | what | | measured | allowed | |", "| ---: | --- | --- | ---: | ---: | --- |"]
    for r in rows:
        out.append("| %d | %s | %s | %s | %s | %s |" % (
            r["part"], clean(r["name"]), "FAILED" if r["status"] == "failed" else "fine", number(r.get("value")), number(r.get("allowed")), details(r),
        ))  # fmt: skip
    return out + [""]


def details(row):
    parts_ = [clean(row["why"])] if row.get("why") else []
    for key in ("pytorch", "ours", "where"):
        if key in row:
            parts_.append("%s %s" % (key, number(row[key]) if not isinstance(row[key], str) else clean(row[key])))
    return ", ".join(parts_)


def findings(results):
    rows = [r for r in rows_of(results, "info") if r["part"] > 0]
    if not rows:
        return []
    return ["## Findings", ""] + ["- %d: %s: %s" % (r["part"], clean(r["name"]), clean(str(number(r["value"])))) for r in rows] + [""]


def not_done(results):
    rows = rows_of(results, "skipped", "not built")
    if not rows:
        return []
    return ["## Not done", ""] + ["- %d: %s: %s, %s" % (r["part"], clean(r["name"]), r["status"], clean(r.get("why", ""))) for r in rows] + [""]


def clean(text):
    """One line, and no column more."""
    return " ".join(str(text).split()).replace("|", "/")


def number(v):
    if v is None:
        return ""
    if isinstance(v, bool) or not isinstance(v, (int, float)):
        return str(v)
    if isinstance(v, int) or not math.isfinite(v):
        return str(v)
    return "%.3g" % v if abs(v) < 1000 else "%.0f" % v
