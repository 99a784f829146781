# SPDX-License-Identifier: LGPL-3.0-or-later
# bash completion of smbd-uring; commands and options are those of its --help.

_smbd_uring() {
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "--help --version $("$program" --help |
			sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')" -- "$cur"))
		return
	fi
	case $previous in
	--configfile | -c | --output | -O)
		COMPREPLY=($(compgen -f -- "$cur"))
		return
		;;
	--directory | -d | --history | -H)
		COMPREPLY=($(compgen -d -- "$cur"))
		return
		;;
	--sort | -s)
		COMPREPLY=($(compgen -W "$("$program" status --list-columns |
			sed 1d | cut -d ' ' -f 1)" -- "${cur^^}"))
		return
		;;
	esac
	COMPREPLY=($(compgen -W "$("$program" "$command" --help 2>/dev/null |
		sed -n 's/^ *-[A-Za-z], \(--[a-z-]*\).*/\1/p')" -- "$cur"))
}
complete -o filenames -F _smbd_uring smbd-uring
