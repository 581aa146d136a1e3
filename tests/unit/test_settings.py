"""Settings: read once, refused with the name of what is wrong, and secret where they must be."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.errors import BadRequest
from backend.parts import build_context
from backend.settings import ProjectSettings, Settings
from model.ranking import DEFAULT_STRATEGY
from model.strategies import STRATEGIES


@pytest.fixture
def environment(no_environment, monkeypatch):
    """environment(NAME=value, …): what the shell sets."""

    def put(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def test_everything_has_a_default(no_environment):
    settings = Settings()
    assert settings.label_studio_url == "http://localhost:8080"
    assert settings.port == 9090
    assert settings.queue_window == 100
    assert settings.strategy == "auto"


def test_every_setting_is_described(no_environment):
    for name, field in Settings.model_fields.items():
        assert field.description and field.description.endswith("."), name


def test_the_environment_is_read(environment):
    environment(LABEL_STUDIO_URL="https://ls.example.com/", QUEUE_WINDOW="50", AUDIT_SHARE="0.2")
    settings = Settings()
    assert settings.label_studio_url == "https://ls.example.com"
    assert (settings.queue_window, settings.audit_share) == (50, 0.2)


def test_a_file_dot_env_is_read_and_the_environment_comes_first(environment, tmp_path):
    (tmp_path / ".env").write_text("PORT=9191\nLOG_LEVEL=DEBUG\nSOMETHING_ELSE=1\n")
    environment(PORT="9292")
    settings = Settings()
    assert (settings.port, settings.log_level) == (9292, "DEBUG")


def test_empty_values_are_as_good_as_none(environment):
    environment(MODEL_STORE="", DATABASE_URL="", QUEUE_WINDOW="")
    settings = Settings()
    assert settings.queue_window == 100 and settings.model_store is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LABEL_STUDIO_URL", "localhost:8080", "must start with http:// or https://"),
        ("LABEL_STUDIO_PUBLIC_URL", "javascript:alert(1)", "must start with http:// or https://"),
        ("BACKEND_URL", "ftp://x", "must start with http:// or https://"),
        ("PORT", "0", "greater than or equal to 1"),
        ("PORT", "70000", "less than or equal to 65535"),
        ("PORT", "web", "valid integer"),
        ("QUEUE_WINDOW", "4", "greater than or equal to 5"),
        ("QUEUE_WINDOW", "5001", "less than or equal to 5000"),
        ("AUDIT_SHARE", "0.51", "less than or equal to 0.5"),
        ("AUDIT_SHARE", "nan", ""),
        ("RETRAIN_EVERY_LABELS", "0", "greater than or equal to 1"),
        ("TORCH_THREADS", "0", "greater than or equal to 1"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO'"),
        ("STRATEGY", "clever", "no strategy 'clever'; there are auto, "),
        ("MODEL_STORE", "S3:/bucket", "must have :// after the name of its protocol"),
        ("MODEL_STORE", "abfs+ssl://box@host/models", "abfs+ssl:// are of no kind that fsspec knows"),
        (
            "MODEL_STORE",
            "dropbox://models",
            "start with dropbox:// need a package: DropboxFileSystem requires",
        ),
        ("MODEL_STORE", "sftp://me:sesame@host/models", "holds a password; give it where the package"),
        ("MODEL_STORE", "s3://key:ses/ame@[bucket/models", "holds a password; give it where the package"),
        ("MODEL_STORE", "simplecache::s3://bucket/models", "must be one address, without ::, ? and #"),
        ("MODEL_STORE", "s3://bucket/models?versionId=3", "must be one address, without ::, ? and #"),
        ("MODEL_STORE", "file://host/models", "must name a folder of this machine, like file:///srv"),
        ("MODEL_STORE", "   ", "is blank; give the path of a folder"),
        ("DATA_DIR", "s3://bucket", "start with s3:// are not served"),
        ("DATA_DIR", "   ", "is blank; give the path of a folder"),
        ("DATA_DIR", "~no-such-person/data", "there is no home folder"),
        ("LABEL_STUDIO_URL", "http://", "no address of a server"),
        ("LABEL_STUDIO_URL", "http://[::1", "no address of a server"),
        ("LABEL_STUDIO_URL", "http://host:port", "no address of a server"),
        ("LABEL_STUDIO_URL", "http://host:99999", "no address of a server"),
        ("LABEL_STUDIO_URL", "http://ho\nst", "no address of a server"),
        ("BACKEND_URL", "http:// host", "no address of a server"),
        ("DATABASE_URL", "  ", "no address of a database"),
        ("DATABASE_URL", "~/nextlabel.db", "no address of a database"),
        ("DATABASE_URL", "postgresql://me:pass@word@host:port/x", "no address of a database"),
        ("DATABASE_URL", "postgres://me@host/x", "start with sqlite:// or postgresql://"),
        ("DATABASE_URL", "mysql://me@host/x", "start with sqlite:// or postgresql://"),
        ("LABEL_STUDIO_API_KEY", "two words", "copy it again"),
        ("LABEL_STUDIO_API_KEY", "line\nbreak", "copy it again"),
        ("LABEL_STUDIO_API_KEY", "caf\u00e9", "copy it again"),
        ("WEBHOOK_SECRET", "line\r\nbreak", "sent as a header"),
        ("WEBHOOK_SECRET", "caf\u00e9", "sent as a header"),
        ("LABEL_STUDIO_URL", "http://h/user/login/?next=/", "before the ? or #"),
        ("BACKEND_URL", "http://h:9090/#", "before the ? or #"),
        ("DATABASE_URL", "sqlite://", "in memory, which no other process sees"),
        ("DATABASE_URL", "sqlite:///:memory:", "in memory, which no other process sees"),
        ("DATABASE_URL", "sqlite+no_such_driver:///x.db", "driver"),
        ("REDIS_URL", "localhost:6379", "must start with redis://, rediss:// or unix://"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_the_rule(name, value, said, environment):
    environment(**{name: value})
    with pytest.raises(ValidationError) as caught:
        Settings()
    (fault,) = caught.value.errors()
    assert fault["loc"] == (name.lower(),)
    assert said in fault["msg"]


@pytest.mark.parametrize(
    "folder",
    ["/srv/models", "models", "./models:old", "C:/models", "C:\\models", "s3", "s3:", "//host/share"],
)
def test_a_path_is_a_folder_whatever_it_is_called(folder, environment):
    environment(MODEL_STORE=folder, DATA_DIR=folder)
    settings = Settings()
    assert settings.model_folder == settings.data_dir == Path(folder)


@pytest.mark.parametrize("address", ["file:///srv/models", "FILE:///srv/models", "local:///srv/models"])
def test_an_address_of_this_machine_is_a_folder(address, environment):
    environment(MODEL_STORE=address)
    settings = Settings()
    assert (settings.model_folder, settings.model_address) == (Path("/srv/models"), None)


def test_an_address_is_kept_without_a_slash_at_its_end(environment):
    environment(MODEL_STORE="MEMORY://bucket/models/")
    assert Settings().model_address == "memory://bucket/models"


def test_a_tilde_is_the_home_folder(environment, tmp_path):
    environment(HOME=str(tmp_path), DATA_DIR="~/nextlabel", MODEL_STORE="~/models")
    settings = Settings()
    assert (settings.data_dir, settings.model_folder) == (tmp_path / "nextlabel", tmp_path / "models")


@pytest.mark.parametrize(
    "address",
    ["http://localhost:8080", "https://ls.example.com/sub", "http://[::1]:8080", "http://lücke.example"],
)
def test_an_address_of_a_server_is_taken(address, environment):
    environment(LABEL_STUDIO_URL=address)
    assert Settings().label_studio_url == address


@pytest.mark.parametrize("name", ["auto", *STRATEGIES])
def test_every_strategy_of_the_table_can_be_named(name, environment):
    environment(STRATEGY=name)
    assert Settings().strategy == name


def test_the_help_says_which_strategy_auto_is():
    said = Settings.model_fields["strategy"].description
    assert f"a project that asks one single choice and nothing else; auto: {DEFAULT_STRATEGY}." in said


def test_secrets_are_printed_as_stars(environment):
    environment(LABEL_STUDIO_API_KEY="sesame-1", BASIC_AUTH_PASS="sesame-2", WEBHOOK_SECRET="sesame-3")
    settings = Settings()
    assert "sesame" not in repr(settings) + str(settings) + str(settings.model_dump())


def test_settings_cannot_be_changed_later(no_environment):
    with pytest.raises(ValidationError):
        Settings().port = 1


def test_database_and_models_lie_in_the_data_folder_unless_they_are_put_elsewhere(environment, tmp_path):
    environment(DATA_DIR="somewhere")
    settings = Settings()
    assert settings.database_address == f"sqlite:///{tmp_path}/somewhere/nextlabel.db"
    assert str(settings.model_folder) == "somewhere/models"
    environment(DATABASE_URL="postgresql://x/y", MODEL_STORE="/models")
    settings = Settings()
    assert (settings.database_address, str(settings.model_folder)) == ("postgresql://x/y", "/models")


def test_a_project_takes_the_settings_of_all_but_for_its_own(environment):
    environment(QUEUE_WINDOW="50", AUDIT_SHARE="0.3")
    mine = Settings().for_project({"queue_window": 20})
    assert (mine.queue_window, mine.audit_share) == (20, 0.3)


@pytest.mark.parametrize("overrides", [{"port": 1}, {"queue_window": 1}, {"strategy": "clever"}, {"a": 1}])
def test_what_a_project_may_not_set_is_refused(overrides, no_environment):
    with pytest.raises(ValidationError):
        Settings().for_project(overrides)


def test_settings_of_a_project_can_be_written_as_json(no_environment):
    assert set(Settings().for_project({}).model_dump(mode="json")) == set(ProjectSettings.model_fields)


@pytest.mark.parametrize("value", ["http://", "http://[::1", "http://host:port", "http://host:99999"])
def test_an_address_that_is_none_is_refused(value, environment):
    environment(LABEL_STUDIO_URL=value)
    with pytest.raises(ValidationError, match="is no address of a server"):
        Settings()


def test_secrets_read_from_files_lose_their_line_feed(environment):
    environment(LABEL_STUDIO_API_KEY="a-token\n", WEBHOOK_SECRET=" a-secret\r\n")
    settings = Settings()
    assert settings.label_studio_api_key.get_secret_value() == "a-token"
    assert settings.webhook_secret.get_secret_value() == "a-secret"


@pytest.mark.parametrize(
    "copied",
    [
        "Token 0123abc",
        "token 0123abc\n",
        "Bearer 0123abc",
        "Authorization: Token 0123abc",
        '"0123abc"',
        "'Token 0123abc'",
        " 0123abc\r\n",
    ],
)
def test_a_token_is_what_is_left_without_what_documents_show_around_it(copied, make_settings):
    assert make_settings(label_studio_api_key=copied).label_studio_api_key.get_secret_value() == "0123abc"


def test_a_folder_of_an_image_encoder_must_be_there(make_settings, tmp_path):
    assert make_settings(image_encoder=f" {tmp_path} ").image_encoder == str(tmp_path)
    assert make_settings(image_encoder="facebook/dinov2-small").image_encoder == "facebook/dinov2-small"
    with pytest.raises(ValidationError, match="there is no folder"):
        make_settings(image_encoder="./nowhere")


def test_what_media_may_not_be_fetched_from_is_said_at_the_start(make_settings):
    with pytest.raises(BadRequest, match=r"MEDIA_ALLOW: '10\.0\.0\.0/99' is no host, address or network"):
        build_context(make_settings(media_allow="minio.internal, 10.0.0.0/99"))
