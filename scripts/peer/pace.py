"""How fast steps were: the same for our programs and for PyTorch's."""

import statistics


def windows(pace, warm):
    """Milliseconds a step in each stretch between two marks that begins after `warm` steps.

    A mark is [steps done, seconds], taken when the device had nothing left to do. What comes before the
    first of them that counts is loading, the search for algorithms, and memory that is asked for the
    first time."""
    out = []
    for (a, s), (b, e) in zip(pace, pace[1:]):
        if a >= warm and b > a:
            out.append(1e3 * (e - s) / (b - a))
    return out


def summary(pace, warm):
    """{"ms", "low", "high", "windows", "steps"}: the median step and the quartiles, or None if the run was too short."""
    ms = windows(pace, warm)
    if not ms:
        return None
    steps = pace[-1][0] - next(a for a, _ in pace if a >= warm)
    low, high = (min(ms), max(ms)) if len(ms) < 4 else statistics.quantiles(ms, n=4)[::2]
    return {"ms": statistics.median(ms), "low": low, "high": high, "windows": len(ms), "steps": steps}


def together(summaries):
    """Several measurements of one thing, taken in turn, as one: the median of their medians."""
    return {
        "ms": statistics.median(s["ms"] for s in summaries),
        "low": min(s["low"] for s in summaries),
        "high": max(s["high"] for s in summaries),
        "windows": sum(s["windows"] for s in summaries),
        "steps": sum(s["steps"] for s in summaries),
    }
