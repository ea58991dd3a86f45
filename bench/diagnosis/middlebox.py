#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""middlebox.py TABLE   Something on the way that is not well: listens, passes bytes on, and at the byte or moment told cuts, stalls, resets or damages.

The JSON table: [{"listen": [address, port], "to": [address, port],
"do": "pass|cut|stall|reset|flip|trickle|forget|cut-at-accept|reset-at-accept|swallow|say",
"way": "up|down", "at": byte, "words": "..."}]; "at" counts what passed that way; "request" instead of a number means the first TLS record of application
data (TLS 1.2 only: there it is the first request or answer). "trickle": so many bytes a second that way; "forget": both sides are reset after so many
milliseconds without a byte that way. SIGHUP reads "do" anew.
"""
import asyncio
import json
import signal
import socket
import struct
import sys

table = {}


def load(path):
    for row in json.load(open(path)):
        table[tuple(row["listen"])] = row


def reset(writer):
    s = writer.get_extra_info("socket")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Records:
    """Counts bytes until the first record of application data begins."""

    def __init__(self):
        self.rest, self.at, self.found, self.head = 0, 0, None, b""

    def feed(self, data):
        for b in range(len(data)):
            if self.rest:
                skip = min(self.rest, len(data) - b)
                self.rest -= 1
            else:
                self.head += data[b:b + 1]
                if len(self.head) == 5:
                    if self.head[0] == 23 and self.found is None:
                        self.found = self.at + b - 4
                        break
                    self.rest, self.head = struct.unpack("!H", self.head[3:5])[0], b""
        self.at += len(data)
        return self.found


async def pump(row, way, reader, writer, other):
    passed, records = 0, Records()
    while True:
        try:
            data = await asyncio.wait_for(reader.read(65536), row["at"] / 1000 if row["do"] == "forget" and row.get("way") == way else None)
        except asyncio.TimeoutError:
            reset(writer)
            return reset(other)
        if not data:
            break
        if row["do"] == "trickle" and row.get("way") == way:
            for at in range(0, len(data), row["at"]):
                writer.write(data[at:at + row["at"]])
                await asyncio.sleep(1)
            continue
        active = row["do"] in ("cut", "stall", "reset", "flip") and row.get("way") == way
        limit = row.get("at") if active else None
        if limit == "request":
            limit = records.feed(data)
        if limit is not None and passed + len(data) > limit:
            keep = max(0, limit - passed)
            if row["do"] == "flip":
                if keep < len(data):
                    data = data[:keep] + bytes([data[keep] ^ 0x55]) + data[keep + 1:]
                    row = {**row, "do": "pass"}
            else:
                writer.write(data[:keep])
                if row["do"] == "reset":
                    reset(writer)
                    reset(other)
                elif row["do"] == "cut":
                    writer.close()
                    other.close()
                else:
                    await asyncio.sleep(3600)
                return
        passed += len(data)
        writer.write(data)
    if writer.can_write_eof() and not writer.is_closing():
        writer.write_eof()


async def on_client(row, reader, writer):
    try:
        do = row["do"]
        if do == "reset-at-accept":
            return reset(writer)
        if do == "cut-at-accept":
            return writer.close()
        if do == "swallow":
            while await reader.read(65536):
                pass
            return
        if do == "say":
            await reader.read(1)
            writer.write(row["words"].encode())
            await writer.drain()
            await asyncio.sleep(1)
            return writer.close()
        up_reader, up_writer = await asyncio.open_connection(*row["to"])
        await asyncio.gather(pump(row, "up", reader, up_writer, writer), pump(row, "down", up_reader, writer, up_writer))
        up_writer.close()
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        writer.close()


async def main(path):
    load(path)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, load, path)
    servers = []
    for where in list(table):
        handler = lambda r, w, where=where: on_client(table[where], r, w)
        servers.append(await asyncio.start_server(handler, *where))
    print("serving", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
