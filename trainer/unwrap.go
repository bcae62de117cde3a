package trainer

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"
)

// People's checkpoints are more than a dict of a network's weights. Their tensors are
// named by the keys on the way to them, "ema_model.module.time_embed.0.weight", and
// wherever the names of one of our networks follow a prefix, there is one.

// Averaging says which of a file's weights are meant.
type Averaging string

const (
	Best     Averaging = ""    // the averaged ones where the file has both
	Raw      Averaging = "raw" // as the optimiser left them
	Averaged Averaging = "ema"
)

// WeightsError is a file that does not have the weights that are meant, or has several
// of them.
type WeightsError struct{ Msg string }

func (e *WeightsError) Error() string { return e.Msg }

// anchors are names that each network of a kind has, whatever its size.
var anchors = [][2]string{
	{"time_embed.0.weight", "input_blocks.0.0.weight"}, // UNet
	{"layers.0.weight", "layers.2.weight"},             // MLP
}

// Leaf is a tensor of a file, or a value that is none.
type Leaf struct {
	Name   string          // the keys on the way to it with dots between
	Tensor *weights.Tensor // nil for another value
	Value  any
}

// Content is what a file of weights holds.
type Content struct {
	Leaves []Leaf
	Record []byte // ours, nil without one
	plain  error  // why it is no dict of tensors
}

// State tells that it is a run's state.
func (c *Content) State() bool {
	return c.Record != nil && slices.ContainsFunc(c.Leaves, func(l Leaf) bool { return l.Name == adamwSteps })
}

// ReadContent reads a .pth or .safetensors file, by its ending.
func ReadContent(path string) (*Content, error) {
	if strings.EqualFold(filepath.Ext(path), ".safetensors") {
		f, err := safetensors.Read(path)
		if err != nil {
			return nil, err
		}
		return contentOf(f), nil
	}
	root, record, err := pth.ReadRoot(path)
	if err != nil {
		return nil, err
	}
	c := &Content{Record: record}
	c.add("", root)
	if _, err := pth.DictOf(root); err != nil {
		c.plain = fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func contentOf(f *weights.File) *Content {
	c := &Content{Record: f.Record}
	for name, t := range f.Tensors.All() {
		c.Leaves = append(c.Leaves, Leaf{Name: name, Tensor: t})
	}
	return c
}

func (c *Content) add(name string, v any) {
	switch v := v.(type) {
	case *weights.Tensor:
		c.Leaves = append(c.Leaves, Leaf{Name: name, Tensor: v})
	case *pth.Map:
		for i := range v.Len() {
			key, value := v.At(i)
			at := fmt.Sprint(key)
			if name != "" {
				at = name + "." + at
			}
			c.add(at, value)
		}
	default:
		c.Leaves = append(c.Leaves, Leaf{Name: name, Value: v})
	}
}

// network is a network's weights in a file.
type network struct {
	prefix   string // of its names
	averaged bool
}

// String is the prefix for people.
func (n network) String() string { return orPlain(strings.TrimSuffix(n.prefix, ".")) }

// networks finds those of our kinds.
func (c *Content) networks() []network {
	there := map[string]bool{}
	scalar := map[string]bool{}
	for _, l := range c.Leaves {
		there[l.Name] = l.Tensor != nil
		scalar[l.Name] = l.Tensor == nil || len(l.Tensor.Shape) == 0
	}
	var found []network
	for _, l := range c.Leaves {
		for _, a := range anchors {
			prefix, ok := strings.CutSuffix(l.Name, a[0])
			if !ok || l.Tensor == nil || !there[prefix+a[1]] || prefix != "" && !strings.HasSuffix(prefix, ".") || weights.Optimiser(strings.TrimSuffix(prefix, ".")) {
				continue
			}
			// torch.optim.swa_utils.AveragedModel counts beside its module.
			outer, wrapped := strings.CutSuffix(prefix, "module.")
			found = append(found, network{prefix, weights.Averaged(prefix) || wrapped && scalar[outer+"n_averaged"]})
		}
	}
	return found
}

// Choice is what was taken of a file that has more than a network's weights.
type Choice struct {
	Prefix  string   // that the names had
	Other   string   // weights of the other kind that it has too; "" for none
	LeftOut []string // single numbers and other values among the weights
}

// choose takes one network's weights. Without any of our networks a dict of tensors is
// taken as it is.
func (c *Content) choose(path string, want Averaging) (*weights.Dict, Choice, error) {
	all := c.networks()
	if len(all) == 0 {
		if c.plain != nil {
			return nil, Choice{}, c.plain
		}
		return c.dict("", nil), Choice{}, c.only(path, want)
	}
	of := func(averaged bool) []network {
		return slices.DeleteFunc(slices.Clone(all), func(n network) bool { return n.averaged != averaged })
	}
	chosen, others := of(true), of(false)
	if want == Raw || want == Best && len(chosen) == 0 {
		chosen, others = others, chosen
	}
	switch {
	case len(chosen) == 0 && want == Raw:
		return nil, Choice{}, &WeightsError{fmt.Sprintf("%s: it holds averaged weights alone, %v", path, others[0])}
	case len(chosen) == 0:
		return nil, Choice{}, c.only(path, want)
	case len(chosen) > 1:
		return nil, Choice{}, &WeightsError{fmt.Sprintf("%s: it holds several networks: %v and %v; save the one that is meant: torch.save(model.state_dict(), NEW)", path, chosen[0], chosen[1])}
	}
	ch := Choice{Prefix: chosen[0].prefix}
	if len(others) > 0 {
		ch.Other = others[0].String()
	}
	return c.dict(ch.Prefix, &ch, all...), ch, nil
}

// only refuses averaged weights of a file that says nothing of an average.
func (c *Content) only(path string, want Averaging) error {
	if want == Averaged {
		return &WeightsError{path + ": it has no weights that are named as averaged"}
	}
	return nil
}

// dict are the tensors whose names have the prefix, without it. Where the network is
// known, what cannot be a weight of it is left out: values that are no tensors, and
// tensors without dimensions; and so are the other networks.
func (c *Content) dict(prefix string, ch *Choice, all ...network) *weights.Dict {
	d := &weights.Dict{}
	for _, l := range c.Leaves {
		name, ok := strings.CutPrefix(l.Name, prefix)
		switch {
		case ok && (ch == nil || l.Tensor != nil && len(l.Tensor.Shape) > 0):
			inOther := slices.ContainsFunc(all, func(n network) bool {
				return len(n.prefix) > len(prefix) && strings.HasPrefix(l.Name, n.prefix)
			})
			if !inOther {
				d.Set(name, l.Tensor)
			}
		case ch != nil && (ok || !strings.Contains(l.Name, ".")):
			ch.LeftOut = append(ch.LeftOut, l.Name)
		}
	}
	return d
}

// Printable is a text from a file for a terminal: without control characters, and without
// those that turn the direction of what follows.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
}
