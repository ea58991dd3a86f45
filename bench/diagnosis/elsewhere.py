#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""elsewhere.py ADDRESS PORT   A SIP peer on UDP that answers every request with 200, but from another socket than the one that was asked: allowed by
RFC 3261 18.2.2, and done by some with several interfaces."""
import re
import socket
import sys

asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.bind((sys.argv[1], int(sys.argv[2])))
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other.bind((sys.argv[1], 0))
print("serving", flush=True)
while True:
    packet, client = asked.recvfrom(65536)
    copied = re.findall(rb"^(?:Via|From|To|Call-ID|CSeq):[^\r\n]*", packet, re.M | re.I)
    other.sendto(b"SIP/2.0 200 OK\r\n" + b"\r\n".join(copied) + b"\r\nContent-Length: 0\r\n\r\n", client)
