package train

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/cmd/internal/training"
	"flowmatch/models"
)

// summary prints the network's layers, as --summary asks.
func summary(w io.Writer, sub *training.Subject) error {
	net, err := sub.Build()
	if err != nil {
		return err
	}
	layers, err := models.Summary(net)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "layer\tkind\toutput of a sample\tparameters")
	for _, l := range layers {
		out := strings.Trim(strings.ReplaceAll(fmt.Sprint(l.Output), " ", "x"), "[]")
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", l.Name, l.Kind, out, terminal.Count(l.Parameters))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	n := models.Count(net)
	_, err = fmt.Fprintf(w, "%s, %s in float32; training holds four to five such copies (gradients, AdamW's two moments, the average)\n",
		terminal.Counted(n, "parameter"), terminal.Bytes(4*n))
	for _, r := range models.Remarks(sub.Network) {
		if err == nil {
			_, err = fmt.Fprintf(w, "note: %s\n", r)
		}
	}
	return err
}
