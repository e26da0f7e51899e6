"""What may follow what, and shares to the last cent."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.payments import rules
from marketplace.payments.rules import PAYMENT_STATES, REFUND_STATES, moves_on, refund_moves_on

END = {"failed", "cancelled", "expired"}
# Every move there is; what is not here is no move.
MOVES = (
    {("created", seen) for seen in PAYMENT_STATES if seen != "created"}
    | {("open", seen) for seen in PAYMENT_STATES if seen not in {"created", "open"}}
    | {("authorised", seen) for seen in (*END, "paid")}
    | {(ended, "paid") for ended in END}
)
amounts = st.integers(1, 10_000_000)


@pytest.mark.parametrize(("now", "seen"), list(product(PAYMENT_STATES, repeat=2)))
def test_a_payment_moves_as_the_table_says(now: str, seen: str) -> None:
    assert moves_on(now, seen) == ((now, seen) in MOVES)


@given(st.permutations(["open", "authorised", "paid"]))
def test_news_in_any_order_end_in_the_same_state(news: list[str]) -> None:
    state = "created"
    for seen in [*news, *news]:
        if moves_on(state, seen):
            state = seen
    assert state == "paid"


@pytest.mark.parametrize(("now", "seen"), list(product(REFUND_STATES, repeat=2)))
def test_a_refund_only_moves_on_and_a_failed_one_never(now: str, seen: str) -> None:
    assert refund_moves_on(now, seen) == (REFUND_STATES.index(seen) > REFUND_STATES.index(now))


@given(amounts, st.data())
def test_the_fee_goes_back_with_part_refunds_to_the_cent(captured: int, data: st.DataObject) -> None:
    fee = data.draw(st.integers(0, captured))
    cuts = sorted({0, captured, *data.draw(st.lists(st.integers(0, captured), max_size=6))})
    before = given_back = 0
    for amount in [high - low for low, high in pairwise(cuts)]:
        part = rules.fee_given_back(
            fee, captured, refunded_before=before, fee_before=given_back, amount=amount
        )
        assert 0 <= part <= amount
        before, given_back = before + amount, given_back + part
        assert abs(given_back - fee * before / captured) <= 1
    assert given_back == fee


@given(amounts, st.integers(0, 10_000_000))
def test_a_share_is_nothing_of_nothing_and_all_of_all(whole: int, amount: int) -> None:
    assert rules.share(amount, 0, whole) == 0
    assert rules.share(amount, whole, whole) == amount


def test_there_is_no_share_beyond_the_whole() -> None:
    with pytest.raises(ValueError, match="no part"):
        rules.share(10, 11, 10)


@given(st.integers(-10_000_000, 10_000_000), st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_what_is_spread_sums_to_what_there_was(total: int, weights: list[int]) -> None:
    if sum(weights) == 0:
        weights = [*weights, 1]
    parts = rules.spread(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(part - total * weight / whole) < 1 for part, weight in zip(parts, weights, strict=True))
    assert all(type(part) is int for part in parts)


def test_nothing_is_spread_over_nothing() -> None:
    assert rules.spread(0, [0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="nothing to spread"):
        rules.spread(1, [0, 0])


@given(st.integers(-10_000_000, 10_000_000), st.sampled_from([0, 1000, 1350, 1400, 2400, 2550]))
def test_net_and_tax_are_the_gross_and_a_refund_mirrors_a_sale(gross: int, rate: int) -> None:
    net, vat = rules.net_and_vat(gross, rate)
    assert net + vat == gross
    assert rules.net_and_vat(-gross, rate) == (-net, -vat)


@given(amounts, st.data(), st.sampled_from([None, 7]))
def test_what_is_posted_balances_and_a_refund_undoes_it(
    captured: int, data: st.DataObject, party: int | None
) -> None:
    fee = data.draw(st.integers(0, captured)) if party is not None else 0
    lines = rules.captured_lines(captured, fee, party)
    assert sum(line.amount_minor for line in lines) == 0
    assert all(line.amount_minor for line in lines)
    back = rules.refunded_lines(captured, fee, party)
    assert [(line.account, -line.amount_minor) for line in lines] == [
        (line.account, line.amount_minor) for line in back
    ]
