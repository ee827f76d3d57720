"""What hostile input makes a parser do. Importable, so that another process can be asked to do it."""

import os
import time


def double(number: int) -> int:
    return 2 * number


def length(*, thing: str | bytes) -> int:
    return len(thing)


def doze(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def hang() -> None:
    time.sleep(60)


def die() -> None:
    os._exit(139)


def eat_memory() -> int:
    return len(bytearray(8 << 30))


def overflow(depth: int = 0) -> int:
    return overflow(depth + 1) + 1


def raise_unpicklable() -> None:
    class OddError(Exception):
        def __reduce__(self) -> str:
            raise TypeError("not me")

    raise OddError("odd")


def process_id() -> int:
    return os.getpid()
