#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# completion_test.sh UMBEL   What `umbel completion bash` prints, loaded by bash: every noun, verb and option of the table is offered for its
# beginning, and nothing else.
umbel=$1 failed=0 count=0
eval "$("$umbel" completion bash)" || exit 1

offered() { # WORD...: what is offered for the last one
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_umbel
	printf '%s\n' "${COMPREPLY[@]}"
}

wants() { # WHAT WORD...
	local what=$1
	shift
	count=$((count + 1))
	offered "$@" | grep -qxF -e "$what" && return
	echo "not offered for \"${*}\": $what"
	failed=$((failed + 1))
}

while read -r noun verb; do
	wants "$noun" umbel "${noun:0:1}"
	[ -z "$verb" ] || wants "$verb" umbel "$noun" "${verb:0:1}"
	for option in $("$umbel" "$noun" $verb --help | sed -n '/^Options:/,/^Examples:/s/^  \(--*[a-z0-9-]*\).*/\1/p'); do
		wants "$option" umbel "$noun" $verb "$option"
	done
done < <("$umbel" help | sed -n 's/^  \([a-z]\+\) \([a-z-]*\).*/\1 \2/p')
for word in zz x9; do
	[ -z "$(offered umbel "$word")$(offered umbel gateway "$word")" ] || { echo "something is offered for $word"; failed=$((failed + 1)); }
done
[ "$count" -gt 100 ] || { echo "only $count words were tried"; failed=$((failed + 1)); }
echo "$count words, $failed not offered"
exit $((failed > 0))
