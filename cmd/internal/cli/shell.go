package cli

import (
	"regexp"
	"strings"
)

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// parts are the words of a command, a flag together with its value.
func parts(words []string) [][]string {
	var all [][]string
	for k := 0; k < len(words); {
		end := k + 1
		if strings.HasPrefix(words[k], "-") && end < len(words) && !strings.HasPrefix(words[end], "-") {
			end++
		}
		all = append(all, words[k:end])
		k = end
	}
	return all
}

// Shell joins words so that a shell takes them apart again.
func Shell(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if !plainWord.MatchString(w) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = w
	}
	return strings.Join(quoted, " ")
}
