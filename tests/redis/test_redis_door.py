"""The connections to Redis, when all of them break at once."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis_server import RedisServer, running_redis

from streaming.errors import StoreFailed
from streaming.redis_door import RedisDoor

pytestmark = pytest.mark.redis
AT_ONCE = 4
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: a socket that is closed so resets the line, as a server's that is killed with something unread."""


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    yield from running_redis(tmp_path)


class _Line:
    """What lies between a client and a server: passes everything on, and can be reset."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._clients: list[asyncio.StreamWriter] = []
        self._passing: list[asyncio.Task[None]] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = await asyncio.open_connection("127.0.0.1", self._port)
        self._clients.append(writer)
        self._passing += [
            asyncio.create_task(_pass(reader, onward[1])),
            asyncio.create_task(_pass(onward[0], writer)),
        ]

    def reset(self) -> int:
        """Break all connections; says how many there were."""
        broken, self._clients = self._clients, []
        for writer in broken:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        return len(broken)

    async def close(self) -> None:
        self.reset()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while read := await reader.read(65_536):
        writer.write(read)
    writer.close()


@asynccontextmanager
async def line_to(redis_server: RedisServer) -> AsyncIterator[tuple[_Line, str]]:
    line = _Line(redis_server.port)
    async with await asyncio.start_server(line.connected, "127.0.0.1", 0) as listening:
        yield line, f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}/0"
        await line.close()


async def ping_at_once(door: RedisDoor) -> list[object]:
    """As many commands as connections, at the same time."""
    return await asyncio.gather(*(door.ask(door.redis.ping()) for _ in range(AT_ONCE)), return_exceptions=True)


async def test_connections_that_were_reset_cost_one_command_and_not_one_each(redis_server: RedisServer) -> None:
    async with line_to(redis_server) as (line, url):
        door = RedisDoor(url, 5.0)
        assert await ping_at_once(door) == [True] * AT_ONCE
        assert line.reset() == AT_ONCE
        await asyncio.sleep(0.1)
        with pytest.raises(StoreFailed):
            await door.ask(door.redis.ping())
        assert await ping_at_once(door) == [True] * AT_ONCE
        await door.close()
