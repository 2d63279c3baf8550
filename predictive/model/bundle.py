"""The bundle: a folder with what scoring needs, every file named with its sha256, and nothing that runs code."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from predictive.clock import instant, parse_instant
from predictive.config import Config
from predictive.errors import ModelError
from predictive.features.catalog import Feature, from_json, set_hash, to_json
from predictive.model.encode import Encoder
from predictive.model.linear import Linear
from predictive.model.scoring import ScoringModel
from predictive.model.side import Recipe, SideModel
from predictive.quadrants import Cuts
from predictive.rules import Rules
from predictive.spread import Spread

MANIFEST = "manifest.json"
PENDING = "pending.parquet"
LIBRARIES = ("predictive", "lightgbm", "scikit-learn", "numpy", "pandas", "narwhals", "duckdb")
NOTHING_PENDING = pd.DataFrame({"contact_id": pd.Series(dtype="str"), "as_of": np.empty(0, np.int64), "log_odds": []})
MODELS = ("probability", "fit", "interest")


@dataclass(frozen=True)
class Bundle:
    """What a training made. `version` names it; `report` holds plain values for the report and for MLflow.

    `pending` are the examples that were learned from in part and had not closed: `contact_id`, `as_of` (microseconds)
    and `log_odds` of closing in the rest of their horizon. Once they mature, they tell whether the level still holds.
    `spread` is that of fit and interest over the newest contacts; None in bundles that did not keep it.
    """

    version: str
    model: ScoringModel
    features: tuple[Feature, ...]
    rules: Rules
    cuts: Cuts
    horizon: int
    report: dict[str, Any]
    pending: pd.DataFrame = field(default_factory=lambda: NOTHING_PENDING, repr=False)
    spread: Spread | None = field(default=None, repr=False)

    @property
    def feature_hash(self) -> str:
        """The name of the feature set that the model was trained with."""
        return set_hash(self.features)

    @property
    def known_until(self) -> int:
        """Until when the model knows outcomes, in microseconds: it learned from nothing that happened later."""
        return instant(parse_instant(self.report["shipped"]["known_until"]), "UTC")


def save_bundle(bundle: Bundle, folder: Path, *, config: str, predictions: pd.DataFrame, estimator: Any = None) -> Path:
    """Write the bundle to ``folder / bundle.version``, all of it or nothing, and return that path.

    `config` is the effective configuration as YAML, `predictions` the rows of ``test_predictions.parquet``; `estimator`
    is dumped with joblib for notebooks; nothing here ever loads it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / bundle.version
    with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as temporary:
        here = Path(temporary) / bundle.version
        here.mkdir()
        for name in MODELS:
            _write_side(getattr(bundle.model, name), here, name)
        _write_json(
            here / "features.json", {"hash": bundle.feature_hash, "features": list(map(to_json, bundle.features))}
        )
        spread = None if bundle.spread is None else bundle.spread.to_json()
        scoring = {"cuts": asdict(bundle.cuts), "horizon": bundle.horizon, "spread": spread}
        _write_json(here / "scoring.json", scoring)
        _write_json(here / "report.json", bundle.report)
        rules = yaml.safe_dump(bundle.rules.model_dump(mode="json", exclude_none=True), sort_keys=False)
        (here / "rules.yaml").write_text(rules, encoding="utf-8")
        (here / "config.yaml").write_text(config, encoding="utf-8")
        predictions.to_parquet(here / "test_predictions.parquet", index=False)
        bundle.pending.to_parquet(here / PENDING, index=False)
        if estimator is not None:
            from joblib import dump

            dump(estimator, here / "model.joblib")
        _write_manifest(here, bundle)
        if target.exists():
            shutil.rmtree(target)
        here.replace(target)
    return target


def load_bundle(path: Path) -> Bundle:
    """Verify every hash of the manifest, then load. Raises :class:`~predictive.errors.ModelError` where one differs."""
    manifest = verify(path)
    scoring, features = _read_json(path / "scoring.json"), _read_json(path / "features.json")
    models = {name: _read_side(path, name) for name in MODELS}
    if models["probability"] is None:
        raise ModelError(f"{path}: the bundle holds no probability model; train again")
    cuts, spread = scoring["cuts"], scoring.get("spread")
    return Bundle(
        version=manifest["version"],
        model=ScoringModel(models["probability"], models["fit"], models["interest"]),
        features=tuple(from_json(f) for f in features["features"]),
        rules=Rules.model_validate(yaml.safe_load((path / "rules.yaml").read_text(encoding="utf-8"))),
        cuts=Cuts(**{**cuts, "tiers": tuple(cuts["tiers"])}),
        horizon=scoring["horizon"],
        report=_read_json(path / "report.json"),
        pending=pd.read_parquet(path / PENDING),
        spread=None if spread is None else Spread.from_json(spread),
    )


def verify(path: Path) -> dict[str, Any]:
    """The manifest, once every file that it names is there with the hash that it names, and no other file is."""
    if not (path / MANIFEST).is_file():
        raise ModelError(f"{path}: no model bundle there (no {MANIFEST}); train one with `predictive train`")
    manifest = _unsealed(path / MANIFEST)
    for name, expected in manifest["sha256"].items():
        file = path / name
        if not file.is_file():
            raise ModelError(f"{file}: named in the manifest, but missing; restore the bundle or train again")
        if _sha256(file) != expected:
            raise ModelError(
                f"{file}: its sha256 is not the one in the manifest, so the bundle was altered or damaged; restore it "
                "or train again"
            )
    strange = {f.name for f in path.iterdir()} - set(manifest["sha256"]) - {MANIFEST}
    if strange:
        raise ModelError(f"{path}: {min(strange)} is not in the manifest; remove it or train again")
    return dict(manifest)


def champion(models: Path) -> Path | None:
    """The bundle that `score` uses when none is named; None when there is none yet."""
    file = models / "champion.json"
    if not file.is_file():
        return None
    try:
        path = (models / _read_json(file)["bundle"]).resolve()
    except (ValueError, TypeError, KeyError):
        raise ModelError(f"{file}: does not name a bundle; remove it and train, or restore it") from None
    return path if (path / MANIFEST).is_file() else None


def reign(models: Path) -> dict[str, Any]:
    """What champion.json says: `bundle`, `version`, and of a promotion `since`, `by`, `reason` and whether `forced`.

    `previous` lists those before it, the newest first. Empty where there was no champion yet.
    """
    file = models / "champion.json"
    champion(models)  # says what is wrong with a file that cannot be read
    return dict(_read_json(file)) if file.is_file() else {}


def crown(models: Path, bundle: Path, *, why: Mapping[str, Any] | None = None) -> None:
    """Make a bundle the champion; `why` are further facts to record. The last one is kept as the previous.

    The path is kept relative where the bundle lies below `models`.
    """
    models.mkdir(parents=True, exist_ok=True)
    inside = bundle.resolve().is_relative_to(models.resolve())
    named = bundle.resolve().relative_to(models.resolve()) if inside else bundle.resolve()
    last = reign(models)
    before = last.pop("previous", [])
    previous = [last, *before] if last else []
    record = {"bundle": str(named), "version": bundle.name, **(why or {})}
    _write_champion(models, record | ({"previous": previous} if previous else {}))


def previous(models: Path) -> Path:
    """The bundle that was the champion before. Raises :class:`~predictive.errors.ModelError` where there is none."""
    before = reign(models).get("previous", [])
    if not before:
        raise ModelError(f"{models / 'champion.json'}: it names no previous champion, so there is none to go back to")
    path: Path = (models / before[0]["bundle"]).resolve()
    if not (path / MANIFEST).is_file():
        raise ModelError(f"{path}: the previous champion's bundle is gone; restore it, or promote another model")
    return path


def uncrown(models: Path) -> None:
    """Make the previous champion the champion again; the one that leaves is forgotten here."""
    previous(models)
    first, *rest = reign(models)["previous"]
    _write_champion(models, first | ({"previous": rest} if rest else {}))


def _write_champion(models: Path, record: dict[str, Any]) -> None:
    temporary = models / ".champion.json.writing"
    temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, models / "champion.json")  # noqa: PTH105 - Path.replace is not documented as atomic


def fingerprint(config: Config) -> str:
    """A short hash of a configuration, for the bundle's name."""
    return hashlib.sha256(config.model_dump_json().encode()).hexdigest()[:6]


def _write_side(side: SideModel | None, folder: Path, name: str) -> None:
    if side is None:
        return
    value = {
        "recipe": side.recipe.to_json(),
        "encoder": side.encoder.to_json(),
        "trees": side.booster is not None,
        "base": side.base,
    }
    _write_json(folder / f"{name}.json", value | {"linear": None if side.linear is None else side.linear.to_json()})
    if side.booster is not None:
        (folder / f"{name}.trees.txt").write_text(side.booster.model_to_string(), encoding="utf-8")


def _read_side(folder: Path, name: str) -> SideModel | None:
    if not (folder / f"{name}.json").exists():
        return None
    value = _read_json(folder / f"{name}.json")
    booster = None
    if value["trees"]:
        import lightgbm

        booster = lightgbm.Booster(model_str=(folder / f"{name}.trees.txt").read_text(encoding="utf-8"))
    linear = None if value["linear"] is None else Linear.from_json(value["linear"])
    return SideModel(
        Encoder.from_json(value["encoder"]), Recipe.from_json(value["recipe"]), booster, linear, value["base"]
    )


def _write_manifest(folder: Path, bundle: Bundle) -> None:
    files = sorted(f.name for f in folder.iterdir())
    manifest = {
        "version": bundle.version,
        "features": bundle.feature_hash,
        "judged": bundle.report["judged"],
        "shipped": bundle.report["shipped"],
        "libraries": {name: version(name) for name in LIBRARIES},
        "sha256": {name: _sha256(folder / name) for name in files},
    }
    (folder / MANIFEST).write_bytes(_sealed(manifest))


def _sealed(manifest: dict[str, Any]) -> bytes:
    """The manifest as it stands in its file, closed by the hash of itself, since no other file could hold that."""
    seal = hashlib.sha256(json.dumps(manifest, indent=1).encode()).hexdigest()
    return (json.dumps(manifest | {"seal": seal}, indent=1) + "\n").encode()


def _unsealed(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    try:
        manifest = dict(json.loads(content))
        manifest.pop("seal")
        if _sealed(manifest) == content:
            return manifest
    except (ValueError, TypeError, KeyError):
        pass
    raise ModelError(
        f"{file}: it is not as it was written, so the bundle was altered or damaged; restore it or train again"
    )


def _write_json(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _read_json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
