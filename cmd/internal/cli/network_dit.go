package cli

import (
	"flowmatch/datasets"
	"flowmatch/models"
)

// ditFlags describe a diffusion transformer.
type ditFlags struct{ patchSize, depth, width int }

func (d *ditFlags) add(g *Group) {
	g.IntVar(&d.patchSize, "patch-size", 0, "pixels a side that become a token of the transformer (2)")
	g.IntVar(&d.depth, "depth", 0, "its blocks (6)")
	g.IntVar(&d.width, "width", 0, "features of a token, a multiple of 4 (192)")
}

func (d *ditFlags) config(in datasets.Info, n *Network, classes int, nullClass bool) (models.Config, error) {
	for _, f := range []struct {
		name  string
		value int
	}{{"patch-size", d.patchSize}, {"depth", d.depth}, {"width", d.width}} {
		if n.cmd.Changed(f.name) && f.value < 1 {
			return nil, Usagef("--%s %d: at least 1", f.name, f.value)
		}
	}
	return models.DiTConfig{
		Channels: in.Shape[0], Size: in.Shape[1], PatchSize: d.patchSize, Depth: d.depth, Width: d.width,
		NumHeads: n.numHeads, NumClasses: classes, NullClass: nullClass,
	}.Defaults(), nil
}
