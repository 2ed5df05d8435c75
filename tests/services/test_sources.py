"""Passwords of databases go to the secret store, however they were written into a URL."""

import pytest

from yuntu_push.services.sources import split_password


@pytest.mark.parametrize(
    ("url", "bare", "password"),
    [
        ("postgresql://u@db/crm", "postgresql://u@db/crm", None),
        ("postgresql://u:x@db/crm", "postgresql://u@db/crm", "x"),
        ("postgresql://u:p%40s%2Fs%23@db:5432/crm", "postgresql://u@db:5432/crm", "p@s/s#"),
        ("mysql://u:p@ss@db/crm", "mysql://u@db/crm", "p@ss"),
        ("mysql://u:pa#ss@db/crm", "mysql://u@db/crm", "pa#ss"),
        ("mysql://u:pa?ss@db/crm", "mysql://u@db/crm", "pa?ss"),
        ("mysql://u:pa/ss@db/crm?tls=off", "mysql://u@db/crm?tls=off", "pa/ss"),
        ("mysql://u:100%@db/crm", "mysql://u@db/crm", "100%"),
        ("mysql://:x@db/crm", "mysql://@db/crm", "x"),
        ("mysql://用户:密码@db/会员", "mysql://用户@db/会员", "密码"),
        ("clickhouse://u:x@[::1]:8123/d", "clickhouse://u@[::1]:8123/d", "x"),
        ("sqlite:///data/a@b.db", "sqlite:///data/a@b.db", None),
        ("sqlite:///data/a:b@c.db", "sqlite:///data/a:b@c.db", None),
        ("mysql://u@[::1/x", "mysql://u@[::1/x", None),
    ],
)
def test_a_url_is_kept_without_its_password(url: str, bare: str, password: str | None) -> None:
    assert split_password(url) == (bare, password)
