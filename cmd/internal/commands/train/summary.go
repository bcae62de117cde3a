package train

import (
	"fmt"
	"io"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/cmd/internal/training"
	"flowmatch/models"
)

// outline is what --summary prints with --json.
type outline struct {
	Layers     []layer `json:"layers"`
	Parameters int64   `json:"parameters"`
}

type layer struct {
	Name       string  `json:"name"`
	Kind       string  `json:"kind"`
	Output     []int64 `json:"output"` // of a sample
	Parameters int64   `json:"parameters"`
}

// summary prints the network's layers, as --summary asks.
func summary(w io.Writer, sub *training.Subject, asJSON bool) error {
	net, err := sub.Build()
	if err != nil {
		return err
	}
	layers, err := models.Summary(net)
	if err != nil {
		return err
	}
	if asJSON {
		out := outline{Layers: []layer{}, Parameters: models.Count(net)}
		for _, l := range layers {
			out.Layers = append(out.Layers, layer{l.Name, l.Kind, l.Output, l.Parameters})
		}
		return cli.WriteJSON(w, out)
	}
	t := terminal.Table{
		Columns: []terminal.Column{{Title: "layer"}, {Title: "kind"}, {Title: "output of a sample"}, {Title: "parameters", Right: true}},
		Line: func(row []string) string {
			return fmt.Sprintf("%s: %s, output %s, %s parameters", row[0], row[1], row[2], row[3])
		},
	}
	for _, l := range layers {
		out := strings.Trim(strings.ReplaceAll(fmt.Sprint(l.Output), " ", "x"), "[]")
		t.Rows = append(t.Rows, []string{l.Name, l.Kind, out, terminal.Count(l.Parameters)})
	}
	p, n := terminal.NewPage(w), models.Count(net)
	p.Table(t)
	p.Linef("%s, %s in float32; training holds four to five such copies (gradients, AdamW's two moments, the average)",
		terminal.Counted(n, "parameter"), terminal.Bytes(4*n))
	for _, r := range models.Remarks(sub.Network) {
		p.Linef("note: %s", r)
	}
	return p.Flush()
}
