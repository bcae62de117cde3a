package cli

import (
	"flowmatch/datasets"
	"flowmatch/models"
)

// mlpFlags describe an MLP, the network of points. It is not one of networkKinds, which are
// of images: points have no other.
type mlpFlags struct{ hiddenDim int }

// add adds the flag; more is what its help says besides.
func (m *mlpFlags) add(g *Group, more string) {
	g.IntVar(&m.hiddenDim, "hidden-dim", 512, "features of the MLP's hidden layers, for points"+more)
}

func (m *mlpFlags) config(string, datasets.Info, bool) (models.Config, error) {
	c := models.MLPConfig{HiddenDim: m.hiddenDim}.Defaults()
	return c, AsUsage(c.Check())
}

// CheckHiddenDim refuses what the flag cannot be, whatever the set.
func (n *Network) CheckHiddenDim() error {
	if n.mlp.hiddenDim < 1 {
		return Usagef("--hidden-dim %d: at least 1", n.mlp.hiddenDim)
	}
	return nil
}
