#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cert_check_test.sh UMBEL   umbel cert check FILE, cert verify --profile and cert profiles as somebody types them: words, JSON, exit codes. No server.
umbel=$(realpath "$1") failed=0 count=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

says() { # EXIT-CODE PATTERN WORD...: the command ends so, and prints a line like that
	local code=$1 pattern=$2 out
	shift 2
	count=$((count + 1))
	out=$("$umbel" "$@" 2>&1)
	local got=$?
	[ "$got" = "$code" ] && tr -s ' \n' '  ' <<< "$out" | grep -q -e "$pattern" && return
	echo "umbel $*: wanted $code and \"$pattern\", got $got and:"
	echo "$out"
	failed=$((failed + 1))
}

field() { # EXPRESSION WORD...: Python on the JSON object `o`
	local expression=$1
	shift
	count=$((count + 1))
	"$umbel" "$@" --json | python3 -c "import json, sys; o = json.load(sys.stdin); sys.exit(0 if $expression else 1)" && return
	echo "umbel $* --json: not so: $expression"
	failed=$((failed + 1))
}

make() { # NAME CN SAN EKU
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days 90 -CA ca.pem -CAkey ca.key -subj "/CN=$2" \
		-addext "subjectAltName=$3" -addext "extendedKeyUsage=$4" -addext "basicConstraints=critical,CA:FALSE" 2> /dev/null || {
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2> /dev/null
		printf 'subjectAltName=%s\nextendedKeyUsage=%s\nbasicConstraints=critical,CA:FALSE\n' "$3" "$4" > ext
		openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile ext -out "$1.pem" 2> /dev/null
	}
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 90 -subj "/CN=Test CA" \
	-addext "basicConstraints=critical,CA:TRUE" 2> /dev/null
node=node01.domain.local
make shared um.domain.local DNS:um.domain.local,DNS:$node serverAuth,clientAuth
make server $node DNS:$node serverAuth
openssl x509 -in shared.pem -outform der -out shared.cer
openssl x509 -in ca.pem -outform der -out ca.cer
openssl crl2pkcs7 -nocrl -certfile ca.pem -certfile shared.pem -outform der -out shared.p7b

# the case of the lab, before anything is used: calls in work, what the node begins fails
lync=(--profile lync --known $node --name $node --ca ca.pem)
says 1 "lync accepts refuses by its manual" cert check shared.pem "${lync[@]}"
says 1 "not-a-known-server (likely, by its manual)" cert check shared.pem "${lync[@]}"
says 1 "handshake succeeds, then the connection is closed" cert check shared.pem "${lync[@]}"
says 1 "lync accepts refuses" cert check shared.cer "${lync[@]}"
says 1 "lync accepts refuses" cert check shared.p7b --profile lync --known $node --name $node --ca ca.cer
field 'not o["good"] and [a["answer"] for a in o["files"][0]["names"][0]["answers"]] == ["accepts", "refuses"]' cert check shared.pem "${lync[@]}"
field 'len(o["files"]) == 2 and len(o["files"][0]["names"][0]["answers"]) >= 60' cert check shared.pem server.pem --known $node
field 'all(a["certainty"] == "unknown" if a["answer"] == "unknown" else True for n in o["files"][0]["names"] for a in n["answers"])' cert check shared.pem
says 1 "its usages lack clientAuth" cert check server.pem
says 1 "kamailio accepts refuses" cert check server.pem --profile kamailio --switched on
says 1 "kamailio accepts (off) off; would refuse" cert check server.pem --profile kamailio

verify=(cert verify --ca ca.pem --chain shared.pem --host $node --profile)
says 0 "accepted: name-matches (likely, by its manual)" "${verify[@]}" lync
says 1 "refused: not-a-known-server" "${verify[@]}" lync --purpose client
says 1 "not known: rule-not-known" "${verify[@]}" exchange-um
says 0 "accepted: name-matches (sure, measured)" "${verify[@]}" openssl
field 'o["accepted"] is False and o["reason"] == "not-a-known-server" and o["how_known"] == "by its manual"' "${verify[@]}" lync --purpose client
says 2 "umbel cert profiles lists" "${verify[@]}" nobody
says 0 "proves to be um.domain.local, used" cert verify --ca ca.pem --chain shared.pem --host other.domain.local --host um.domain.local

field 'len(o["profiles"]) >= 30 and all(p["source"] and p["server"]["rule"] and p["client"]["rule"] for p in o["profiles"])' cert profiles
says 0 "Source: .*sip_transport_tls.c" cert profiles asterisk-pjsip
says 2 "there is no profile" cert profiles nobody
says 2 "there is no profile" cert check shared.pem --profile nobody
says 2 "on or off" cert check shared.pem --switched perhaps
says 2 "which file" cert check --name $node
says 1 "cannot be read" cert check ./missing.pem
says 1 "holds no certificate" cert check shared.key
says 3 "" cert check default --socket "$dir/nobody"

echo "$count questions, $failed answered wrongly"
exit $((failed > 0))
