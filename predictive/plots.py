"""Plots for MLflow: reliability, cumulative gain and importance."""

from __future__ import annotations

from typing import Any

LOOKS = {"model": ("black", "-", "o"), "logistic": ("dimgray", "--", "s"), "rules": ("darkgray", ":", "^")}


def plots(report: dict[str, Any]) -> dict[str, Any]:
    """`matplotlib` figures by name, from the report of a bundle."""
    return {"reliability": _reliability(report), "gain": _gain(report), "importance": _importance(report)}


def _figure(title: str, x: str, y: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _reliability(report: dict[str, Any]) -> Any:
    figure, axes = _figure("Do contacts close as often as predicted?", "predicted probability", "share that closed")
    top = 0.0
    for name, bins in report["reliability"].items():
        color, line, marker = LOOKS[name]
        x, y = [b["predicted"] for b in bins], [b["actual"] for b in bins]
        bars = [[b["actual"] - b["low"] for b in bins], [b["high"] - b["actual"] for b in bins]]
        axes.errorbar(x, y, yerr=bars, color=color, linestyle=line, marker=marker, capsize=2, label=name)
        top = max([top, *x, *(b["high"] for b in bins)])
    band = [point for point in report["corp"]["model"] if point["predicted"] <= top]
    x, low, high = ([point[key] for point in band] for key in ("predicted", "low", "high"))
    axes.fill_between(x, low, high, step="mid", color="black", alpha=0.1, linewidth=0, label="luck alone (model)")
    axes.step(x, [point["actual"] for point in band], where="mid", color="black", linewidth=0.8, alpha=0.6)
    axes.plot([0, top], [0, top], color="black", linewidth=0.5)
    axes.legend(frameon=False)
    return figure


def _gain(report: dict[str, Any]) -> Any:
    figure, axes = _figure("Who finds the closes first?", "share of contacts worked", "share of closes found")
    for name, points in report["gain"].items():
        color, line, _ = LOOKS[name]
        axes.plot([p[0] for p in points], [p[1] for p in points], color=color, linestyle=line, label=name)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.5)
    axes.legend(frameon=False)
    return figure


def _importance(report: dict[str, Any]) -> Any:
    top = report["importance"][:20][::-1]
    figure, axes = _figure("What moves the score most?", "mean absolute part of the log-odds", "")
    axes.barh([f["description"] for f in top], [f["mean"] for f in top], color="dimgray")
    return figure
