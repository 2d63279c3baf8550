"""Reading a configuration file: environment variables, every problem at once with its path, absolute paths."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from predictive.config import (
    Config,
    CrmSource,
    DatabaseSource,
    FileSink,
    PostgresqlSink,
    Sink,
    Source,
    SparkSink,
    SparkSource,
    TableName,
    TableSource,
    TablesSink,
    holds_password,
    mask,
)
from predictive.errors import ConfigError, nearest

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def load_config(path: str | Path) -> Config:
    """Read, expand and validate a configuration file.

    Raises :class:`~predictive.errors.ConfigError` that lists every problem with its path, not only the first.
    """
    file = Path(path)
    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such file; name a configuration such as configs/demo.yaml") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from None
    except (yaml.YAMLError, ValueError) as error:  # a date such as 2026-13-01 is a ValueError
        raise ConfigError(f"{file}: not valid YAML: {_without_excerpt(error)}") from None
    if not isinstance(raw, dict):
        raise ConfigError(
            f"{file}: a configuration is a mapping with at least the key source; found {type(raw).__name__}"
        )
    problems: list[str] = []
    raw = _expand(raw, "", problems)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        problems += [_explain(problem) for problem in error.errors()]
    if problems:
        listed = "\n".join(f"  {p}" for p in dict.fromkeys(problems))
        raise ConfigError(mask(f"{file}: {len(problems)} problem{'s' if len(problems) > 1 else ''}\n{listed}"))
    return _absolute(config, file.resolve().parent)


def _without_excerpt(error: Exception) -> str:
    """What is wrong with a YAML file and where; its own message quotes the line, which may hold a password."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem} in line {mark.line + 1}, column {mark.column + 1}"
    return mask(str(error))


def _expand(value: Any, path: str, problems: list[str]) -> Any:
    """Replace ``${NAME}`` and ``${NAME:-default}`` in every text of a nested value."""
    if isinstance(value, dict):
        return {k: _expand(v, f"{path}.{k}" if path else str(k), problems) for k, v in value.items()}
    if isinstance(value, list):
        return [_expand(v, f"{path}[{i}]", problems) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value
    if holds_password(value):
        problems.append(
            f"{path}: a password stands in this file, where it is copied and committed; keep it in the environment and "
            f"write ${{NAME}} in its place, or for the whole URL"
        )

    def fill(match: re.Match[str]) -> str:
        found = os.environ.get(match[1]) or match[2]
        if found is None:
            problems.append(
                f"{path}: the environment variable {match[1]} is not set; set it, or write a default: "
                f"${{{match[1]}:-value}}"
            )
            return ""
        return found

    return VARIABLE.sub(fill, value)


def _explain(problem: Any) -> str:
    """One line for one validation error: its path, what is wrong, and the nearest known name of an unknown key."""
    path, owner = _locate(problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden" and owner is not None:
        message = f"unknown key; {nearest(str(problem['loc'][-1]), owner.model_fields)}"
    elif problem["type"] == "literal_error" and "[key]" in problem["loc"]:
        message = f"unknown key; {nearest(str(problem['input']), get_args(TableName))}"
    elif problem["type"] == "missing":
        message = "required, but not given"
    elif not isinstance(problem["input"], dict | list) and problem["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}; found {problem['input']!r}"
    return f"{path}: {message}" if path else message


def _locate(loc: tuple[int | str, ...]) -> tuple[str, type[BaseModel] | None]:
    """The path of an error as it stands in the file, and the model that its last key belongs to.

    Pydantic puts the tag of a union's member into the location; it is in no file, so it is left out here.
    """
    path = ""
    here: Any = Config
    owner: type[BaseModel] | None = None
    for part in loc:
        members = _flat(here)
        tagged = [a for a in members if part in _tags(a)] if len(members) > 1 else []
        if tagged:
            here = tagged[0]
            continue
        if part == "[key]" or (len(members) > 1 and re.match(r"literal\[|function-", str(part))):
            continue
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
        owner = next((a for a in members if isinstance(a, type) and issubclass(a, BaseModel)), None)
        if owner is not None:
            field = next((f for name, f in owner.model_fields.items() if part in (name, f.alias)), None)
            here = field.annotation if field else None
        else:
            here = next((get_args(a)[-1] for a in members if get_args(a)), None)
    return path.lstrip("."), owner


def _flat(annotation: Any) -> list[Any]:
    """The members of a union, with `Annotated` taken off; a list of one for anything else."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _flat(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [a for member in get_args(annotation) for a in _flat(member)]
    return [annotation]


def _tags(annotation: Any) -> tuple[Any, ...]:
    """What pydantic may call this member of a union in an error's location."""
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return (getattr(annotation, "__name__", ""), str(annotation))
    kind = annotation.model_fields.get("kind") or annotation.model_fields.get("at")
    return get_args(kind.annotation) if kind else ("calendar",)


def _absolute(config: Config, folder: Path) -> Config:
    """The same configuration with every path resolved against the folder of its file."""

    def at(path: Path) -> Path:
        return (folder / path.expanduser()).resolve()

    uri = config.tracking.uri
    if uri.startswith("sqlite:///") and not uri.startswith("sqlite:////"):
        uri = f"sqlite:///{at(Path(uri.removeprefix('sqlite:///')))}"
    return config.model_copy(
        update={
            "source": _source(_without_scores(config), at),
            "sink": config.sink
            if isinstance(config.sink, PostgresqlSink | SparkSink)
            else config.sink.model_copy(update={"path": at(config.sink.path)}),
            "tracking": config.tracking.model_copy(update={"uri": uri}),
            "rules": at(config.rules) if config.rules else None,
            "models": at(config.models),
            "notices": config.notices.model_copy(
                update={
                    "file": at(config.notices.file) if config.notices.file else None,
                    "state": at(config.notices.state),
                }
            ),
            "report": at(config.report),
            "lists": {
                name: one if one.static is None else one.model_copy(update={"static": at(one.static)})
                for name, one in config.lists.items()
            },
        }
    )


def _source(source: Source, at: Callable[[Path], Path]) -> Source:
    """The same source; its files, and the stores of its tables, at absolute paths."""
    if isinstance(source, CrmSource):
        path = None if source.path is None else at(source.path)
        return source.model_copy(update={"path": path, "url": None if source.url is None else source.url.at(at)})
    tables = {
        name: table
        if table.incremental is None
        else table.model_copy(
            update={"incremental": table.incremental.model_copy(update={"store": at(table.incremental.store)})}
        )
        for name, table in source.tables.items()
    }
    if isinstance(source, SparkSource):
        return source.model_copy(update={"tables": {name: _on_cluster(table, at) for name, table in tables.items()}})
    if isinstance(source, DatabaseSource):
        return source.model_copy(update={"url": source.url.at(at), "tables": tables})
    return source.model_copy(update={"path": at(source.path), "tables": tables})


def _on_cluster(table: TableSource, at: Callable[[Path], Path]) -> TableSource:
    """The same table; a file that is no URL (``s3://…``) lies where its configuration says."""
    if table.file is None or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", table.file):
        return table
    return table.model_copy(update={"file": str(at(Path(table.file)))})


def _without_scores(config: Config) -> Source:
    """The source, whose contacts have columns that scores are written to: those are no attributes."""
    written = _written(config.sink)
    if not written:
        return config.source
    if isinstance(config.source, CrmSource):
        return config.source.model_copy(update={"scores": [*config.source.scores, *written]})
    contacts = config.source.tables["contacts"]
    contacts = contacts.model_copy(update={"scores": [*contacts.scores, *written]})
    return config.source.model_copy(update={"tables": {**config.source.tables, "contacts": contacts}})


def _written(sink: Sink) -> list[str]:
    """The columns of contacts that a sink fills: by itself, or by a file that a CRM imports and gives back."""
    if isinstance(sink, TablesSink):
        return list(sink.columns.values())
    if isinstance(sink, FileSink) and sink.format is not None:
        from predictive.sinks.export import written  # takes seconds, which commands that only print help must not

        return written(sink)
    return []


def effective(config: Config) -> str:
    """The configuration as YAML with every default filled in, as `predictive check` prints it; no credentials."""
    values = config.model_dump(mode="json", exclude_none=True, by_alias=True)
    return mask(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
