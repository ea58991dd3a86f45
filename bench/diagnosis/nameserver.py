#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nameserver.py ADDRESS TABLE   The server of a zone that is not well: behind dnsmasq it answers each name as the JSON table says.

{"name": "servfail" | "refused" | "silent" | "malformed" | "nodata" | "192.0.2.1"}; the file is read again when it changes.
"""
import json
import os
import socket
import struct
import sys


def question(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1").lower())
        at += 1 + packet[at]
    return ".".join(labels), struct.unpack("!H", packet[at + 1:at + 3])[0], at + 5


def answer(packet, how):
    name, kind, end = question(packet)
    do = how.get(name, "nxdomain")
    rcode = {"servfail": 2, "nxdomain": 3, "refused": 5}.get(do, 0)
    address = do if do[0].isdigit() else None
    if do == "silent":
        return None
    body = b""
    if address and kind == 1:
        body = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 2, 4) + socket.inet_aton(address)
    head = packet[:2] + struct.pack("!HHHHH", 0x8580 | rcode, 1, 1 if body else 0, 0, 0)
    whole = head + packet[12:end] + body
    return whole[:14] if do == "malformed" else whole


def main(address, table):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    print("serving", flush=True)
    seen, how = None, {}
    while True:
        packet, client = server.recvfrom(4096)
        stamp = os.stat(table).st_mtime_ns
        if stamp != seen:
            seen, how = stamp, json.load(open(table))
        try:
            said = answer(packet, how)
        except (IndexError, struct.error):
            continue
        if said:
            server.sendto(said, client)


main(sys.argv[1], sys.argv[2])
