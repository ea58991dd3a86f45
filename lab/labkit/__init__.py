# SPDX-License-Identifier: Apache-2.0
"""labkit: the pieces of the lab, each one real program in a temporary folder, shared by `make lab` and the end-to-end tests.

space    a user, mount, pid and network namespace of its own, names and addresses in it
run      child processes with logs, stories told and checks counted
pki      a certificate authority and certificates        dns, pg, pool, phones   dnsmasq, PostgreSQL, Kamailio + stunnel, callers
node     umbeld and its command line                     audio, wire             what was said, what was sent
site     all of them put together as the lab's site
"""
