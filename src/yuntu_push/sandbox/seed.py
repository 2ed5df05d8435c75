"""The world a sandbox begins with: logins, accounts, brands and one developer application.

Everything here is invented. Ids have the platform's 16 digits; they and the application follow
from the seed, so the same seed gives the same world.
"""

import hashlib

from yuntu_push.sandbox.records import (
    Account,
    Application,
    Brand,
    Kind,
    Login,
    Platform,
    WorldState,
)

PERMISSIONS = ("账号服务", "投放管理", "工具", "DMP人群管理", "巨量千川")
XINGYE = "杭州星野食品有限公司"
QINGHE = "上海青禾美妆有限公司"
AGENCY = "北京远山数字营销有限公司"
COMPANY_IDS = {XINGYE: 88100001, QINGHE: 88100002, AGENCY: 88100003}
"""Ids of the companies as an agent's interface knows them."""
BRAND_LOGIN, AGENCY_LOGIN = 1801000000000001, 1801000000000002
WORKBENCH_SIZE = 137
"""Advertisers of the workbench: more than one page of the largest size."""


def seeded_world(seed: int, callback_url: str | None) -> WorldState:
    """A fresh world."""
    state = WorldState(seed=seed, app=_application(seed, callback_url), salt=_hex(seed, "salt", 32))
    for account in [*_brand_side(), *_workbench(), *_agency_side(), *_enterprise(), *_shop()]:
        state.accounts[account.id] = account
    state.logins = {
        BRAND_LOGIN: Login(
            BRAND_LOGIN,
            "星野数据组",
            "xi***@xingye.example",
            [
                1700000000000001,
                1700000000000002,
                1700000000000003,
                1700000000000004,
                1700000000000009,
                1700000000000100,
                1700000000000500,
                1700000000000700,
                1700000000000900,
            ],
        ),
        AGENCY_LOGIN: Login(
            AGENCY_LOGIN,
            "远山投放",
            "yu***@yuanshan.example",
            [1700000000000500, 1700000000000003],
        ),
    }
    for brand in _brands():
        state.brands[brand.id] = brand
    return state


def _hex(seed: int, label: str, length: int) -> str:
    return hashlib.sha256(f"yuntu-push sandbox {seed} {label}".encode()).hexdigest()[:length]


def _application(seed: int, callback_url: str | None) -> Application:
    number = 1790000000000000 + int(_hex(seed, "app", 12), 16) % 10_000_000_000_000
    return Application(
        number, "CDP人群推送", _hex(seed, "secret", 40), callback_url, list(PERMISSIONS)
    )


def _brand_side() -> list[Account]:
    ad = Kind.ADVERTISER
    return [
        Account(1700000000000001, "星野食品-品牌广告", ad, XINGYE),
        Account(1700000000000002, "星野食品-效果广告", ad, XINGYE),
        Account(1700000000000003, "青禾美妆-品牌广告", ad, QINGHE),
        Account(1700000000000004, "星野食品-新品试投", ad, XINGYE),
        Account(1700000000000009, "星野食品-已解除授权", ad, XINGYE, valid=False),
    ]


def _workbench() -> list[Account]:
    home = 1700000000000100
    accounts = [Account(home, "星野集团工作台", Kind.WORKBENCH, XINGYE)]
    accounts.extend(
        Account(
            home + n,
            f"星野食品-门店{n:03d}",
            Kind.ADVERTISER,
            QINGHE if n % 20 == 0 else XINGYE,
            parents=[home],
        )
        for n in range(1, WORKBENCH_SIZE + 1)
    )
    accounts.append(
        Account(
            home + 300, "星野食品-千川直播", Kind.ADVERTISER, XINGYE, Platform.QIANCHUAN, [home]
        )
    )
    accounts.append(
        Account(home + 301, "星野食品-本地推", Kind.ADVERTISER, XINGYE, Platform.LOCAL, [home])
    )
    return accounts


def _agency_side() -> list[Account]:
    agent, child = 1700000000000500, 1700000000000501
    accounts = [
        Account(agent, "远山数字(一级代理)", Kind.AGENT, AGENCY),
        Account(child, "远山数字-华南(二级代理)", Kind.CHILD_AGENT, AGENCY, parents=[agent]),
    ]
    accounts.extend(
        Account(agent + 10 + n, f"远山代投-客户{n}", Kind.ADVERTISER, QINGHE, parents=[agent])
        for n in range(1, 6)
    )
    accounts.extend(
        Account(child + 20 + n, f"华南代投-客户{n}", Kind.ADVERTISER, XINGYE, parents=[child])
        for n in range(1, 4)
    )
    return accounts


def _enterprise() -> list[Account]:
    home = 1700000000000700
    accounts = [Account(home, "青禾美妆升级版工作台", Kind.ENTERPRISE, QINGHE)]
    accounts.extend(
        Account(home + n, f"青禾美妆-系列{n:02d}", Kind.ADVERTISER, QINGHE, parents=[home])
        for n in range(1, 13)
    )
    return accounts


def _shop() -> list[Account]:
    shop = 1700000000000900
    qianchuan = Platform.QIANCHUAN
    return [
        Account(shop, "星野食品旗舰店", Kind.SHOP, XINGYE),
        Account(shop + 1, "星野旗舰店-千川1", Kind.ADVERTISER, XINGYE, qianchuan, [shop]),
        Account(shop + 2, "星野旗舰店-千川2", Kind.ADVERTISER, XINGYE, qianchuan, [shop]),
    ]


def _brands() -> list[Brand]:
    return [
        Brand(
            10250001, "星野食品", 1760000000000001, "食品饮料", [1700000000000001, 1700000000000002]
        ),
        Brand(10250002, "星野轻食", 1760000000000002, "食品饮料", [1700000000000001]),
        Brand(10250003, "青禾美妆", 1760000000000003, "美妆", [1700000000000003, 1700000000000701]),
        Brand(10250004, "青禾护理", 1760000000000004, "个护", []),
    ]
