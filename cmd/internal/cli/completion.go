package cli

import (
	"bytes"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// printCompletion prints what a shell completes the command's flags by; it says whether
// it knows the shell.
func (c *Command) printCompletion(w io.Writer, shell string) (bool, error) {
	var b bytes.Buffer
	var err error
	switch shell {
	case "bash":
		b.WriteString(standIns)
		err = c.root.GenBashCompletionV2(&b, true)
	case "zsh":
		err = c.root.GenZshCompletion(&b)
	case "fish":
		err = c.root.GenFishCompletion(&b, true)
	default:
		return false, nil
	}
	if err == nil {
		_, err = b.WriteTo(w)
	}
	return true, err
}

// standIns are for what cobra's script takes from the package bash-completion, where that
// is not installed or not loaded: words are told apart by blanks alone.
const standIns = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        local line=${COMP_LINE:0:COMP_POINT}
        read -ra words <<<"$line"
        [[ $line != *[[:space:]] ]] || words+=("")
        cword=$((${#words[@]} - 1)) cur=${words[-1]} prev=${words[-2]-}
    }
fi
if ! declare -F _filedir >/dev/null; then
    _filedir() {
        local name IFS=$'\n'
        compopt -o filenames
        while read -r name; do
            if [[ -d $name || ${1-} != -d && ( -z ${1-} || $name == *.@($1) ) ]]; then
                COMPREPLY+=("$name")
            fi
        done < <(compgen -f -- "$cur")
    }
fi
if ! declare -F __ltrim_colon_completions >/dev/null; then
    __ltrim_colon_completions() { # bash puts in what follows the last colon
        local i prefix=${1%"${1##*:}"}
        [[ $1 == *:* && $COMP_WORDBREAKS == *:* ]] || return 0
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]=${COMPREPLY[i]#"$prefix"}
        done
    }
fi
`

// begun keeps the completions that go on with what was typed; shells differ in whether
// they do so themselves.
func begun(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		all, directive := complete(cmd, args, typed)
		if directive&(cobra.ShellCompDirectiveFilterFileExt|cobra.ShellCompDirectiveFilterDirs) != 0 {
			return all, directive
		}
		var fit []string
		for _, word := range all {
			if strings.HasPrefix(word, typed) {
				fit = append(fit, word)
			}
		}
		return fit, directive
	}
}
