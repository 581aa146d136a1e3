"""Who can reach an address, and that nobody listens to strangers without a log-in by mistake."""

import pytest

from backend.errors import BadRequest
from backend.exposure import asks_for_login, check_exposure, is_reachable_by_others

EVERYBODY = "0.0.0.0"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_addresses_of_this_machine_alone(host):
    assert not is_reachable_by_others(host)


@pytest.mark.parametrize("host", [EVERYBODY, "::", "", "192.0.2.7", "10.0.0.1", "fe80::1", "::ffff:8.8.8.8"])
def test_addresses_that_others_may_reach(host):
    assert is_reachable_by_others(host)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "\x00", "a" * 70])
def test_a_name_that_is_no_address_is_not_called_safe(host):
    assert is_reachable_by_others(host)


@pytest.mark.parametrize("half", [{}, {"basic_auth_user": "admin"}, {"basic_auth_pass": "a-password"}])
def test_half_a_log_in_keeps_nobody_out(half, make_settings):
    settings = make_settings(**half)
    assert not asks_for_login(settings)
    with pytest.raises(BadRequest, match="has no log-in") as raised:
        check_exposure(settings, EVERYBODY)
    assert "BASIC_AUTH_PASS" in raised.value.hint
    check_exposure(settings, "127.0.0.1")


def test_a_log_in_or_the_word_of_somebody_opens_it(make_settings):
    check_exposure(make_settings(basic_auth_user="admin", basic_auth_pass="a-password"), EVERYBODY)
    check_exposure(make_settings(), EVERYBODY, without_login=True)
    check_exposure(make_settings(listen_without_login=True), EVERYBODY)
