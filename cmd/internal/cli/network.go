package cli

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"flowmatch/cmd/internal/kinds"
	"flowmatch/datasets"
	"flowmatch/models"
)

// Network are the flags that describe a network: one for images, of which there are several,
// or the one for points.
type Network struct {
	cmd           *Command
	kind          string
	networks      map[string]networkFlags
	mlp           mlpFlags
	numHeads      int
	unconditional bool
}

// networkFlags are those of one kind of network.
type networkFlags interface {
	// add adds the flags; their defaults depend on the set.
	add(g *Group)
	// config is the network for a set, of the given number of classes.
	config(in datasets.Info, n *Network, classes int, nullClass bool) (models.Config, error)
}

// networkKinds are the kinds of networks for images. A new one is a line here.
var networkKinds = []struct {
	name  string
	flags func() networkFlags
}{
	{models.UNetConfig{}.Kind(), func() networkFlags { return new(unetFlags) }},
	{models.DiTConfig{}.Kind(), func() networkFlags { return new(ditFlags) }},
}

// AddNetwork adds the flags. more is what help says of the network for points besides.
func (c *Command) AddNetwork(g *Group, more string) *Network {
	n := &Network{cmd: c, networks: map[string]networkFlags{}}
	g.StringVar(&n.kind, "network", networkKinds[0].name, "of images: "+strings.Join(networkNames(), " or ")+" (a diffusion transformer)")
	g.Choices("network", networkNames()...)
	for _, k := range networkKinds {
		n.networks[k.name] = k.flags()
		n.networks[k.name].add(g)
	}
	g.IntVar(&n.numHeads, "num-heads", 0, "heads of attention (unet 1, dit 3)")
	g.BoolVar(&n.unconditional, "unconditional", false, "a model without classes")
	n.mlp.add(g, more)
	return n
}

func networkNames() []string {
	var names []string
	for _, k := range networkKinds {
		names = append(names, k.name)
	}
	return names
}

// Flags are the names of the flags of networks for images.
func (n *Network) Flags() []string {
	names := []string{"network", "num-heads", "unconditional"}
	for _, k := range networkKinds {
		names = append(names, flagsOf(k.flags())...)
	}
	return names
}

func flagsOf(f networkFlags) []string {
	var names []string
	own := newGroup("")
	f.add(own)
	own.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// Changed tells whether any flag of a network was given.
func (n *Network) Changed() bool { return n.ofImages() || n.cmd.Changed("hidden-dim") }

// ofImages tells whether one of a network for images was.
func (n *Network) ofImages() bool { return slices.ContainsFunc(n.Flags(), n.cmd.Changed) }

// CheckFor refuses flags that are of networks for another kind of set.
func (n *Network) CheckFor(in datasets.Info) error {
	points, images := n.ofImages(), n.cmd.Changed("hidden-dim") // what is wrong with each
	if !(kinds.Each[bool]{Points: points, Images: images}).Of(in) {
		return nil
	}
	return Usagef("%s", kinds.Each[string]{
		Points: in.Name + " is a set of points, whose network has --hidden-dim alone; the other network flags are for images",
		Images: "--hidden-dim is for points, and " + in.Name + " is a set of images",
	}.Of(in))
}

// Unconditional tells whether a model without classes is asked for.
func (n *Network) Unconditional() bool { return n.unconditional }

// Check finds what is wrong with the flags without a set.
func (n *Network) Check() error {
	if n.networks[n.kind] == nil {
		return Usagef("--network %q: %s", n.kind, strings.Join(networkNames(), " or "))
	}
	for _, k := range networkKinds {
		for _, name := range flagsOf(k.flags()) {
			if k.name != n.kind && n.cmd.Changed(name) {
				return Usagef("--%s is for --network %s", name, k.name)
			}
		}
	}
	if n.cmd.Changed("num-heads") && n.numHeads < 1 {
		return Usagef("--num-heads %d: at least 1", n.numHeads)
	}
	return nil
}

// Config is the network for a set.
func (n *Network) Config(in datasets.Info, nullClass bool) (models.Config, error) {
	return n.config(n.kind, in, nullClass)
}

// ConfigOf is Config for weights without a record: --network is what they are,
// unless it was given.
func (n *Network) ConfigOf(kind string, in datasets.Info, nullClass bool) (models.Config, error) {
	if n.cmd.Changed("network") || n.networks[kind] == nil {
		kind = n.kind
	}
	return n.config(kind, in, nullClass)
}

func (n *Network) config(kind string, in datasets.Info, nullClass bool) (models.Config, error) {
	return kinds.Each[func(string, datasets.Info, bool) (models.Config, error)]{Points: n.mlp.config, Images: n.images}.Of(in)(kind, in, nullClass)
}

func (n *Network) images(kind string, in datasets.Info, nullClass bool) (models.Config, error) {
	if err := n.Check(); err != nil {
		return nil, err
	}
	classes := in.Classes()
	if n.unconditional {
		classes = 0
	}
	c, err := n.networks[kind].config(in, n, classes, nullClass)
	if err != nil {
		return nil, err
	}
	return c, AsUsage(c.Check())
}

func ints(s string) ([]int, error) {
	var out []int
	for _, w := range strings.Split(s, ",") {
		v, err := strconv.Atoi(strings.TrimSpace(w))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Ints reads whole numbers with commas between.
func Ints(s string) ([]int, error) { return ints(s) }
