from __future__ import annotations

from pathlib import Path

from antiphon.app.security.throttle import BY_ADDRESS, BY_NAME, Throttle
from tests.app.security.people import PASSWORDS, with_accounts


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_delays_of_a_name_double_up_to_a_minute() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    waits = []
    for attempt in range(14):
        # From ever other addresses: only the name counts.
        while (wait := throttle.begin("mia", f"10.0.0.{attempt}")) > 0.0:
            waits.append(wait)
            clock.now += wait
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_names_are_counted_without_regard_to_case() -> None:
    throttle = Throttle(Clock())
    for name in ("mia", "MIA", "Mia", "mIa", "miA"):
        assert throttle.begin(name, "10.0.0.1") == 0.0
    assert throttle.begin("MiA", "10.0.0.2") > 0.0


def test_an_address_that_tries_many_names_waits() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for number in range(BY_ADDRESS.free):
        assert throttle.begin(f"name {number}", "10.0.0.1") == 0.0
    assert throttle.begin("somebody", "10.0.0.1") == 1.0
    assert throttle.begin("somebody", "10.0.0.2") == 0.0


def test_a_success_forgets_the_name_but_not_the_address() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(BY_NAME.free - 1):
        throttle.begin("mia", "10.0.0.1")
    throttle.begin("mia", "10.0.0.1")
    throttle.succeeded("mia", "10.0.0.1")
    assert throttle.begin("mia", "10.0.0.1") == 0.0
    # Guesses at others, with one's own login in between, still add up.
    for number in range(BY_ADDRESS.free):
        clock.now += 1000.0
        throttle.begin(f"name {number}", "10.0.0.3")
        clock.now += 1000.0
        throttle.begin("own", "10.0.0.3")
        throttle.succeeded("own", "10.0.0.3")
    assert throttle.begin("one more", "10.0.0.3") == 0.0
    assert throttle.begin("and another", "10.0.0.3") == 2.0


def test_guessing_is_slowed_down_even_with_the_right_password_at_last(project: Path) -> None:
    with with_accounts(project) as client:
        client.context.throttle = Throttle(Clock())
        for _ in range(BY_NAME.free):
            wrong = client.post("/api/login", json={"name": "mia", "password": "wrong" * 3})
            assert wrong.status_code == 401
        right = {"name": "mia", "password": PASSWORDS["mia"]}
        answer = client.post("/api/login", json=right)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 1
        assert client.post("/api/login", json={**right, "name": "ben"}).status_code == 401


def test_a_forwarded_address_counts_as_the_browsers(project: Path) -> None:
    with with_accounts(project) as client:
        client.context.throttle = Throttle(Clock())
        for number in range(BY_ADDRESS.free + 1):
            answer = client.post(
                "/api/login",
                json={"name": f"name {number}", "password": "wrong" * 3},
                headers={"X-Forwarded-For": f"{number}.1.1.1, 203.0.113.9"},
            )
        assert answer.status_code == 429
        elsewhere = client.post("/api/login", json={"name": "mia", "password": PASSWORDS["mia"]})
        assert elsewhere.status_code == 200
