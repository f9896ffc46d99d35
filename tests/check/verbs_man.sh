#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# What the tables in the code say is what the manual pages and the completions say.
set -euo pipefail

build=${GW_BUILD:?}
man=${GW_SOURCE:?}/ctl/man
include=$GW_SOURCE/include/gw
failed=0
miss() {
	echo "FAIL $*"
	failed=1
}

# verbs, and the options in their arguments
# (a tab would swallow an empty verb)
while IFS=$'\037' read -r noun verb args; do
	name="$noun${verb:+ $verb}"
	line=$(grep -E -m1 "^\.It Cm $name( |\$)" "$man/gwctl.8" || true)
	[[ -n $line ]] || miss "gwctl.8 has no \`$name'"
	for option in $(grep -oE -- '--[a-z-]+' <<<"$args" || true); do
		[[ $line == *"Fl $(printf %s "$option" | cut -c2-)"* ]] ||
			miss "gwctl.8: \`$name' without $option"
	done
done < <("$build/ctl/gwctl" help --rows | tr '\t' '\037')

# and no verb that is not there any more
while read -r name; do
	"$build/ctl/gwctl" help --rows | tr '\t' ' ' | grep -q "^$name " ||
		miss "gwctl.8 describes \`$name', which does not exist"
done < <(sed -n '/^\.Sh DESCRIPTION/,/^\.Sh DROP REASONS/s/^\.It Cm \([a-z0-9-]* \?[a-z]*\).*/\1/p' \
	"$man/gwctl.8" | sed 's/ $//')

while read -r token; do
	grep -q "^\.It Cm $token\$" "$man/gwctl.8" || miss "gwctl.8 has no drop reason \`$token'"
done < <(sed -n 's/^GW_REASON([A-Z0-9_]*, *"\([^"]*\)".*/\1/p' "$include/reason.def" | grep -v '^none$')

while read -r field; do
	grep -qE "^\.It Cm ([a-z0-9 .-]+ , )?${field//./\\.}( |\$)" "$man/gw-ruleset.5" ||
		miss "gw-ruleset.5 has no match \`$field'"
done < <(sed -n 's/^GW_FIELD([A-Z0-9_]*, *"\([^"][^"]*\)".*/\1/p' "$include/field.def")

if [[ -x $build/ctl/gwd ]]; then
	while read -r key; do
		grep -qE "^\.It Cm (.* )?${key//./\\.}( |\$)" "$man/gwd.8" ||
			miss "gwd.8 has no setting \`$key'"
	done < <("$build/ctl/gwd" --help | sed -n '/^settings:/,$s/^  \([a-z][a-z_.]*\)  .*/\1/p')
fi

if command -v groff >/dev/null; then
	for page in "$man"/*.[58]; do
		warnings=$(groff -mdoc -Tutf8 -ww "$page" 2>&1 >/dev/null || true)
		[[ -z $warnings ]] || miss "$(basename "$page"): $warnings"
	done
fi

# the completions are scripts, and know what is typed
completion=$("$build/ctl/gwctl" completion bash)
bash -n <<<"$completion" || miss "the completion for bash is no script"
complete_words() { # WORDS... with the one to complete last
	bash -c 'eval "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gwctl; echo "${COMPREPLY[*]}"' \
		bash "$completion" "$@"
}
same() { # WANT GOT WHAT
	[[ $1 == "$2" ]] || miss "completion of $3: \`$2', not \`$1'"
}
same 'ruleset' "$(complete_words gwctl rules)" 'gwctl rules'
same 'apply' "$(complete_words gwctl --socket /x ruleset ap)" 'gwctl ruleset ap'
same '--check' "$(complete_words gwctl ruleset apply --ch)" 'gwctl ruleset apply --ch'
same 'auto always' "$(complete_words gwctl --color a)" 'gwctl --color a'
same '--orig-zone --orig-port-src --orig-port-dst' "$(complete_words gwctl conntrack -L --orig)" \
	'gwctl conntrack --orig'
if command -v zsh >/dev/null; then
	"$build/ctl/gwctl" completion zsh | zsh -n || miss "the completion for zsh is no script"
fi
exit "$failed"
