"""The log-in of people: a form, a cookie that ends, a way out, and an end to guessing."""

import logging
import re
import time

import pytest
from flask import Response

from backend.routes import login_cookie
from backend.routes.login_cookie import COOKIE, LASTS_S
from tests.answers import assert_error, form_token
from tests.measured import add_rich_project
from tests.topics import write_texts

USER, PASSWORD = "an-admin", "a pass: word, ü"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def make_client(make_context, make_app, make_settings):
    """make_client(…): a browser without cookies, before a backend that asks for the log-in."""

    def make(**changes):
        given = {"basic_auth_user": USER, "basic_auth_pass": PASSWORD} | changes
        context = make_context(make_settings(**given))
        return make_app(context).test_client()

    return make


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def rich(client, context):
    return add_rich_project(context, texts=write_texts(20), synthetic=0)


def token_of(client, path="/login"):
    return form_token(client.get(path, headers=BROWSER).get_data(as_text=True))


def log_in(client, user=USER, password=PASSWORD, way_on="", **options):
    fields = {"csrf_token": token_of(client), "user": user, "password": password, "next": way_on}
    return client.post("/login", data=fields, headers=BROWSER, **options)


def bring(client, value):
    """Asks with this cookie and no other."""
    stranger = client.application.test_client(use_cookies=False)
    return stranger.get("/versions", headers={"Cookie": f"{COOKIE}={value}"})


def cookie_of(client):
    return client.get_cookie(COOKIE).value


def test_who_logs_in_is_led_to_the_page_that_he_wanted(client, rich):
    led = client.get("/projects/7", headers=BROWSER)
    assert (led.status_code, led.headers["Location"]) == (303, "../login?next=%2Fprojects%2F7")
    page = client.get("/login?next=%2Fprojects%2F7", headers=BROWSER).get_data(as_text=True)
    assert 'name="next" value="/projects/7"' in page
    answer = log_in(client, way_on="/projects/7")
    assert (answer.status_code, answer.headers["Location"]) == (303, "projects/7")
    assert client.get("/projects/7", headers=BROWSER).status_code == 200
    assert client.get("/projects/7/state.json").status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [
        *("https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)"),
        *(
            "/no/such/page",
            "/logout",
            "/login",
            "/static/map.js",
            "/projects/7/loop",
            "",
            "\r\nX: y",
            "/../x",
        ),
    ],
)
def test_nobody_is_led_elsewhere(wanted, client):
    assert log_in(client, way_on=wanted).headers["Location"] == "./projects"


def test_the_cookie_is_for_the_browser_alone_and_ends(client):
    cookie = log_in(client).headers.getlist("Set-Cookie")[-1]
    assert cookie.startswith(f"{COOKIE}=") and f"Max-Age={LASTS_S}" in cookie
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    assert PASSWORD not in cookie and USER not in cookie


def test_behind_https_the_cookie_goes_no_other_way(make_client):
    client = make_client(backend_public_url="https://nextlabel.example")
    cookie = log_in(client).headers.getlist("Set-Cookie")[-1]
    assert cookie.startswith(f"{COOKIE}=") and "Secure" in cookie


def test_after_twelve_hours_one_has_to_log_in_again(client, monkeypatch):
    log_in(client)
    now, cookie = time.time(), cookie_of(client)
    assert bring(client, cookie).status_code == 200
    monkeypatch.setattr(login_cookie.time, "time", lambda: now + LASTS_S + 1)
    assert_error(bring(client, cookie), 401)


def test_whoever_logs_out_is_out(client):
    log_in(client)
    page = client.get("/projects", headers=BROWSER).get_data(as_text=True)
    assert 'action="./logout"' in page
    answer = client.post("/logout", data={"csrf_token": form_token(page)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "./login")
    assert client.get("/projects", headers=BROWSER).status_code == 303


def test_without_its_token_neither_form_does_anything(client):
    data = {"user": USER, "password": PASSWORD}
    assert client.post("/login", data=data).status_code == 303
    assert client.get_cookie(COOKIE) is None
    log_in(client)
    client.post("/logout", data={})
    assert client.get("/projects", headers=BROWSER).status_code == 200


def test_a_page_of_another_site_can_not_log_anybody_in(client):
    fields = {"csrf_token": token_of(client), "user": USER, "password": PASSWORD}
    answer = client.post("/login", data=fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert_error(answer, 403)
    assert client.get_cookie(COOKIE) is None


@pytest.mark.parametrize("login", [(USER, "wrong"), ("somebody", PASSWORD), ("", ""), (USER, PASSWORD + " ")])
def test_a_wrong_log_in_says_no_more_than_that(login, client):
    answer = log_in(client, *login)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 401 and "The user name or the password is wrong." in page
    assert client.get_cookie(COOKIE) is None
    assert PASSWORD not in page and "WWW-Authenticate" not in answer.headers


def test_a_button_pressed_after_the_end_leads_to_the_form_and_back(client, rich):
    answer = client.post("/projects/7/loop", headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (303, "../../login?next=%2Fprojects%2F7")
    assert "so nothing was done" in client.get("/login", headers=BROWSER).get_data(as_text=True)


def test_scripts_of_the_page_are_told_without_a_window_of_the_browser(client):
    answer = client.get("/projects/7/state.json", headers={"Sec-Fetch-Mode": "cors"})
    assert_error(answer, 401)
    assert "WWW-Authenticate" not in answer.headers
    client.get("/login")
    assert "WWW-Authenticate" not in client.get("/projects/7/state.json").headers


def test_what_the_form_is_made_of_needs_no_log_in(client):
    page = client.get("/login", headers=BROWSER).get_data(as_text=True)
    for path in re.findall(r'(?:href|src)="(static/[^"]+)"', page):
        with client.get(f"/{path}") as answer:
            assert answer.status_code == 200


def test_where_no_log_in_is_set_there_is_no_form(make_client):
    client = make_client(basic_auth_user="", basic_auth_pass="")
    assert client.get("/login").headers["Location"] == "./projects"
    assert "logout" not in client.get("/projects", headers=BROWSER).get_data(as_text=True)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "x",
        "99999999999.",
        "-1.x",
        "²." + "0" * 64,
        f"{2**70}.x",
        "1e9.x",
        "99999999999.ü",
        "\x00.\x00",
    ],
)
def test_a_made_up_cookie_opens_nothing(value, client):
    assert_error(bring(client, value), 401)


def test_a_cookie_that_was_made_to_last_longer_opens_nothing(client):
    log_in(client)
    until, _, seal = cookie_of(client).partition(".")
    for other in (int(until) + 1, int(until) - 1, int(time.time()) + 10):
        assert_error(bring(client, f"{other}.{seal}"), 401)


@pytest.mark.parametrize("change", [{"basic_auth_pass": "another"}, {"basic_auth_user": "other"}])
def test_another_password_or_user_ends_every_log_in(change, client, make_client):
    log_in(client)
    assert bring(make_client(), cookie_of(client)).status_code == 200
    assert_error(bring(make_client(**change), cookie_of(client)), 401)


def test_whoever_has_the_data_folder_but_no_password_can_make_no_cookie(client, make_settings):
    def forge(password):
        known = make_settings(basic_auth_user=USER, basic_auth_pass=password)
        response = Response()
        login_cookie.set_cookie(client.application, known, response, only_https=False)
        return response.headers["Set-Cookie"].partition(";")[0].partition("=")[2]

    assert bring(client, forge(PASSWORD)).status_code == 200, "the key of the folder is the right one"
    assert_error(bring(client, forge("a guess")), 401)


def test_a_cookie_of_one_web_process_is_taken_by_another(make_client, tmp_path):
    shared = {"database_url": f"sqlite:///{tmp_path / 'shared.db'}", "secret_key": "a-key-of-ours"}
    one, two = make_client(**shared), make_client(**shared, data_dir=tmp_path / "other")
    log_in(one)
    assert bring(two, cookie_of(one)).status_code == 200


def guess(client, number, address="192.0.2.1", **options):
    return client.get(
        "/versions", auth=(USER, f"guess {number}"), environ_base={"REMOTE_ADDR": address}, **options
    )


def test_guessing_ends_soon_and_is_told_when_to_go_on(client):
    answers = [guess(client, number) for number in range(14)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 4
    error = assert_error(answers[-1], 429, "too-many-guesses")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 31 and "seconds" in error["hint"]
    right = client.get("/versions", auth=(USER, PASSWORD), environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert right.status_code == 429, "else a guesser would see which one is right"
    elsewhere = client.get("/versions", auth=(USER, PASSWORD), environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert elsewhere.status_code == 200


def test_the_form_counts_as_well(client):
    answers = [log_in(client, password=f"guess {number}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert "Try again in" in answers[-1].get_data(as_text=True)


def test_secrets_of_webhooks_are_not_to_be_guessed_either(client):
    codes = [
        client.post("/webhook", json={}, headers={"X-Nextlabel-Secret": f"guess {number}"}).status_code
        for number in range(12)
    ]
    assert codes == [401] * 10 + [429] * 2


def send_webhook(client, secret):
    body = {"action": "SOMETHING_NEW"}
    return client.post("/webhook", json=body, headers={"X-Nextlabel-Secret": secret}).status_code


@pytest.mark.parametrize("user", [USER, ""])
@pytest.mark.parametrize("secret", ["", "0123456789abcdef0123456789abcdef"])
def test_the_right_secret_of_a_webhook_is_heard_whoever_guesses_beside_it(
    user, secret, make_context, make_settings, make_app
):
    given = {"basic_auth_user": user, "basic_auth_pass": user and PASSWORD, "webhook_secret": secret}
    context = make_context(make_settings(**given))
    client, right = make_app(context).test_client(), context.settings.webhook_secret.get_secret_value()
    for number in range(12):
        guess(client, number, address="127.0.0.1")
        send_webhook(client, f"guess {number}")
    assert send_webhook(client, "another guess") == 429
    assert send_webhook(client, right) == 201


def test_a_short_secret_of_webhooks_is_not_to_be_found_by_trying(make_client):
    client = make_client(webhook_secret="easy")
    assert send_webhook(client, "easy") == 201
    for number in range(12):
        send_webhook(client, f"guess {number}")
    assert send_webhook(client, "easy") == 429, "else a guesser would see that it is right"


def test_a_label_studio_with_an_earlier_password_shuts_nobody_out(client):
    assert {guess(client, 1).status_code for _ in range(50)} == {401}
    here = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/versions", auth=(USER, PASSWORD), environ_base=here).status_code == 200


def test_whoever_is_logged_in_stays_in_while_others_guess(client):
    log_in(client)
    for number in range(12):
        guess(client, number, address="127.0.0.1")
    assert client.get("/versions").status_code == 200


def test_what_was_guessed_is_not_logged(client, caplog):
    with caplog.at_level(logging.INFO):
        guess(client, "s3same")
        log_in(client, user="s3same-as-name", password="s3same")
        log_in(client)
    lines = "\n".join(record.getMessage() for record in caplog.records)
    assert lines.count("log-in refused from=") == 2 and f"logged in by={USER}" in lines
    assert "s3same" not in lines and PASSWORD not in lines


@pytest.mark.parametrize("proxies", [0, 1])
def test_proxies_are_believed_only_where_they_are_said_to_be(proxies, make_client):
    client = make_client(behind_proxies=proxies)
    codes = [
        guess(client, number, headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code
        for number in range(12)
    ]
    assert codes == ([401] * 12 if proxies else [401] * 10 + [429] * 2)
    secure = client.get("/health", headers={"X-Forwarded-Proto": "https"}).headers
    assert ("Strict-Transport-Security" in secure) == bool(proxies)
