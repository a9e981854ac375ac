import threading

from antiphon.soundscape.members.runtimes.session import Pool


def test_a_pool_makes_another_only_when_all_are_in_use() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    pool = Pool(make)
    with pool.one() as first:
        assert first == 0
        with pool.one() as second:
            assert second == 1
    with pool.one(), pool.one():
        pass
    assert made == [0, 1]
    pool.warm(3)
    assert made == [0, 1, 2]


def test_no_two_threads_have_the_same_one() -> None:
    pool = Pool(threading.Lock)
    clashes = []

    def work() -> None:
        for _ in range(200):
            with pool.one() as lock:
                if not lock.acquire(blocking=False):
                    clashes.append(1)
                    continue
                lock.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clashes == []


def test_one_that_failed_is_given_back() -> None:
    made: list[int] = []
    pool = Pool(lambda: made.append(1))
    for _ in range(3):
        try:
            with pool.one():
                raise RuntimeError
        except RuntimeError:
            pass
    assert made == [1]
