"""Which columns a terminal of some width shows."""

from yuntu_push.cli.columns import fitting

LINES = [
    ["id", "state", "step", "account"],
    ["k7q2m9", "succeeded", "verify", "星野食品-品牌广告 (1700000000000001)"],
]


def test_all_columns_stay_whole_where_there_is_room():
    assert fitting(LINES, 100, spare=(3, 2)) == {0: True, 1: True, 2: True, 3: True}


def test_spare_columns_go_one_by_one_until_the_rest_fits():
    assert fitting(LINES, 60, spare=(2, 3)) == {0: True, 1: True, 2: True, 3: False}
    assert list(fitting(LINES, 50, spare=(2, 3))) == [0, 1, 3]
    assert list(fitting(LINES, 40, spare=(2, 3))) == [0, 1]


def test_short_columns_stay_whole_and_long_ones_are_folded():
    assert fitting(LINES, 50, spare=()) == {0: True, 1: True, 2: True, 3: False}


def test_nothing_is_kept_whole_at_the_cost_of_all_else():
    assert True not in fitting(LINES, 20, spare=()).values()
