package main

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
	shape := sub.Info.Shape[:]
	if sub.Info.Is2D() {
		shape = shape[:1]
	}
	var dims []int64
	for _, n := range shape {
		dims = append(dims, int64(n))
	}
	layers, err := models.Summary(net, dims)
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
	_, err = fmt.Fprintf(w, "%s parameters, %s in float32; training holds four to five such copies (gradients, AdamW's two moments, the average)\n",
		terminal.Count(n), terminal.Bytes(4*n))
	if c, ok := sub.Network.(models.UNetConfig); ok && err == nil && c.SingleChannelGroups() {
		_, err = fmt.Fprintf(w, "note: in levels of 32 channels each group of GroupNorm is one channel, whose mean takes away what time and class add: "+
			"those blocks see them only through the other levels (so do PyTorch's)\n")
	}
	return err
}
