package modelfile

import "github.com/spf13/pflag"

// Again is another program's command about the same model, by the same flags.
func (f *Flags) Again(program string) []string {
	words := []string{program}
	add := func(flag *pflag.Flag) {
		if flag != nil && flag.Changed {
			words = append(words, "--"+flag.Name, flag.Value.String())
		}
	}
	all := f.cmd.Flags()
	for _, name := range []string{"dataset", "checkpoint", "pretrained", "weights"} {
		add(all.Lookup(name))
	}
	f.cmd.Group(networkGroup).VisitAll(add)
	for _, name := range []string{"data-dir", "output-dir"} {
		add(all.Lookup(name))
	}
	return words
}

// networkGroup has the flags for files without a record.
const networkGroup = "Network of a file without a record"
