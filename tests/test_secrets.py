import pickle
import re
from pathlib import Path

import pytest
import yaml

from predictive.cli import main
from predictive.config import mask
from predictive.config_file import effective, load_config
from predictive.errors import ConfigError

PASSWORD = "hunter2%40home"  # noqa: S105 - of nobody
URL = f"postgresql://ann:{PASSWORD}@127.0.0.1:1/crm?sslmode=prefer"
FORMS = ("hunter2", "%40home", "@home")


@pytest.fixture
def written(tmp_path):
    def write(url, **more):
        source = {"kind": "database", "url": url, "tables": {t: {"table": t} for t in ("contacts", "deals")}}
        (tmp_path / "c.yaml").write_text(yaml.safe_dump({"source": source, **more}))
        return tmp_path / "c.yaml"

    return write


def test_a_url_from_the_environment_shows_its_password_nowhere(written, monkeypatch, capsys):
    monkeypatch.setenv("CRM_URL", URL)
    path = written("${CRM_URL}")
    config = load_config(path)
    assert config.source.url.reveal() == URL
    shown = [repr(config), str(config), effective(config), config.model_dump_json(), f"{config.source.url!r:>90}"]
    assert main(["check", str(path)]) == 1
    shown += [*capsys.readouterr()]
    assert "cannot connect to postgresql://***@127.0.0.1:1/crm?sslmode=prefer: " in shown[-1]
    for text in shown:
        assert not any(form in text for form in FORMS)
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - our own


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "${CRM_URL:-" + URL + "}",
        "postgresql://${WHO:-ann}:" + PASSWORD + "@db/crm",
        "mysql+pymysql://db/crm?password=" + PASSWORD,
    ],
)
def test_a_password_in_the_file_is_refused_and_not_repeated(written, url):
    with pytest.raises(ConfigError) as caught:
        load_config(written(url))
    assert "source.url: a password stands in this file" in str(caught.value)
    assert not any(form in str(caught.value) for form in FORMS)
    with pytest.raises(ConfigError, match=r"tracking\.uri: a password stands in this file"):
        load_config(written("sqlite:///x.db", tracking={"uri": url}))


@pytest.mark.parametrize(
    "url", ["postgresql://ann:${PW}@db/crm", "postgresql://db/crm?password=${PW}", "sqlite:///a@b:c.db"]
)
def test_parts_from_the_environment_and_urls_without_a_password_are_taken(written, monkeypatch, url):
    monkeypatch.setenv("PW", PASSWORD)
    assert not any(form in repr(load_config(written(url))) for form in FORMS)


@pytest.mark.parametrize("password", ["hunter2@home", "hunter2/@home", "hunter2 @home", "hunter2%@home"])
def test_a_password_that_is_not_escaped_is_named_but_not_shown(written, monkeypatch, password):
    monkeypatch.setenv("CRM_URL", f"postgresql://ann:{password}@db/crm")
    with pytest.raises(
        ConfigError, match=r"source\.url: user or password hold a character|source\.url: not a URL"
    ) as caught:
        load_config(written("${CRM_URL}"))
    assert not any(form in str(caught.value) for form in FORMS)


def test_files_are_relative_to_the_configuration(written, tmp_path):
    assert load_config(written("sqlite:///crm.db")).source.url.reveal() == f"sqlite:///{tmp_path / 'crm.db'}"
    assert load_config(written("duckdb:////data/crm.db")).source.url.reveal() == "duckdb:////data/crm.db"
    with pytest.raises(ConfigError, match="names no file; write sqlite:///FILE"):
        load_config(written("sqlite://"))


def test_secrets_of_a_broken_yaml_are_masked(tmp_path):
    (tmp_path / "c.yaml").write_text(f"source: {{url: {URL} : ]")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "c.yaml")
    assert "not valid YAML" in str(caught.value)
    assert not any(form in str(caught.value) for form in FORMS)


def test_masking_keeps_what_is_no_secret():
    text = "see https://example.com/a?b=c, mail jane@example.com, sqlite:////data/crm.db"
    assert mask(text) == text


def test_the_traceback_of_a_bug_is_kept_without_the_password(written, monkeypatch, capsys):
    def fails(_):
        raise RuntimeError(f"a driver said: cannot open {URL}&password=hunter2")

    monkeypatch.setattr("predictive.cli.check.run", fails)
    assert main(["check", str(written("sqlite:///x.db"))]) == 3
    file = Path(re.search(r"traceback is in (\S+\.log);", capsys.readouterr().err)[1])
    kept = file.read_text()
    file.unlink()
    assert "RuntimeError: a driver said: cannot open postgresql://***@127.0.0.1:1/crm?sslmode=prefer" in kept
    assert not any(form in kept for form in FORMS)
