# SPDX-License-Identifier: Apache-2.0
# bash completion for aislectl. tests/scenario/test_docs.py holds it against aislectl --help.

# Every command, one a line, and what may follow it.
_aislectl_commands='
status
top --once
doctor
state check
recording --from --to -o
decide --bundle --catalog --profiles --pepper --store --events
replay --bundle --catalog --profiles --pepper --store --events --out --records --outcomes --state --after --turn
features --bundle --catalog --profiles --pepper --store --events --on -o
train --policy --catalog --profiles --pepper --store -o
why --all
why-not --station
rule eval --strict
policy check --strict --at --events
policy preview -o
policy diff
bundle build -o
bundle inspect
bundle examine
bundle install
catalog build --version --name --images --policy -o
catalog find --country
profiles build --store --pepper --version --from --to -o
profiles install
model import -o --trees
model inspect --trees
model score --margin --explain --trees
customer show
customer export
customer forget
deadletter --rows
stop --until --lift
lever set --until
tablet pair --stations
tablet add --stations
tablet list
tablet revoke
manager add
manager remove
manager list
names
mapping try --topic
feed check --store --catalog
keys generate -o --memory
keys root --version --release --order --erase --threshold --expires --previous --key -o
keys sign --key --signature --previous
keys show
release make --channel --sequence --expires --stores --salt --ring --bound --hours --jitter --rate -o
release sign --key --signature
release verify --root
release show --manifest --signature
order make --store --type --subject --tablet --action --sequence --expires -o
order sign --key --signature
order verify --root
order show --manifest --signature
enroll -o
enroll sign --key -o
hq init --host --port --local-port --plain --policy --currency
hq add-store --ring --channel --at
hq run
publish --dir --from --serve --rate --broker --user --password-file --ca --cert --key
fleet --from --dir --silent -o
fleet roll --key --ring --percent --dir --sequence --expires -o --broker --user --password-file --ca
fleet hold --key --dir --sequence --expires -o --broker --user --password-file --ca
fleet back --key --dir --sequence --expires -o --broker --user --password-file --ca
fleet stop --key --ring --store --dir --sequence --expires -o --broker --user --password-file --ca
fleet lift --key --ring --store --dir --sequence --expires -o --broker --user --password-file --ca
collect --into --archive --erased --keep --once --broker --user --password-file --ca --cert --key
evaluate --candidate --bundle --after --catalog --profiles --pepper --store --events --from --turn
export --format --from -o
simulate --policies --model --catalog --profiles --pepper --seed --jobs -o
hq shrink --from --since -o
hq merge --from --bundle -o
report --from --bundle --start --weeks --effect -o
hq customer export --into --archive --pepper
hq customer forget --into --archive --erased --pepper
hq customer reapply --into --archive --erased
hq fill --archive --into --erased
'

# What the running store knows by name. A lever's has a colon in it, at which bash begins a new word.
_aislectl_names()
{
	local whole=${COMP_LINE:0:${COMP_POINT:-0}} known

	whole=${whole##* }
	[[ $whole == *"$cur" ]] || whole=$cur
	known=$("${COMP_WORDS[0]}" "${conf[@]}" names "$1" 2>/dev/null)
	[ "$cur" != : ] || cur=
	mapfile -t COMPREPLY < <(compgen -W "$known" -- "$whole")
	COMPREPLY=("${COMPREPLY[@]#"${whole%"$cur"}"}")
}

_aislectl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local i first= second= third= words= line conf=()

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--config) conf=(--config "${COMP_WORDS[++i]}") ;;
		-*) ;;
		*)
			if [ -z "$first" ]; then first=${COMP_WORDS[i]}
			elif [ -z "$second" ]; then second=${COMP_WORDS[i]}
			else third=${COMP_WORDS[i]}
			fi
			;;
		esac
	done
	case $prev in
	--config | --bundle | --catalog | --profiles | --pepper | --events | --out | --records | --outcomes | --password-file | --ca | --cert | --key | -o | \
		--release | --order | --erase | --previous | --signature | --manifest | --root | --erased)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--state | --after | --policy | --images | --archive)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--from | --into)
		words='sqlite: postgres:'
		;;
	--broker)
		words='mqtt:// mqtts:// nats://'
		;;
	--type)
		words='erase snapshot revoke stop lift'
		;;
	--memory | --version | --threshold | --expires | --channel | --sequence | --stores | --salt | --ring | --bound | --hours | --jitter | --rate | \
		--subject | --tablet | --action | \
		--keep | --silent | --percent | --rows | --store | --turn | --on | --station | --stations | --user | --until | --host | --port | --local-port | --currency | --topic | --at)
		return
		;;
	*)
		while read -r line; do
			set -- $line
			[ $# -gt 0 ] || continue
			if [ -z "$first" ]; then
				words+=" $1"
			elif [ "$1" = "$first" ]; then
				case $2 in
				-* | '') shift ;;			# a command of one word
				"$second")
					shift 2
					case $1 in
					-* | '') ;;
					"$third") shift ;;		# a command of three
					*)
						[ -n "$third" ] || words+=" $1"
						continue
						;;
					esac
					;;
				*)
					[ -n "$second" ] || words+=" $2"
					continue
					;;
				esac
				words+=" $* --json --help"
			fi
		done <<<"$_aislectl_commands"
		[ -n "$first" ] || words+=' --config --help --version'
		;;
	esac
	case $cur:$first:$second in
	-*) ;;
	*:stop: | *:why-not:) _aislectl_names actions && return ;;
	*:names:) words='actions levers tablets managers' ;;
	*:lever:set) _aislectl_names levers && return ;;
	*:tablet:revoke) [ -n "$third" ] || _aislectl_names tablets && return ;;
	*:manager:remove) [ -n "$third" ] || _aislectl_names managers && return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	# Behind a whole command a name may be a file, too.
	if [ -n "$first" ] && [[ $cur != -* ]]; then
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -o filenames -F _aislectl aislectl
