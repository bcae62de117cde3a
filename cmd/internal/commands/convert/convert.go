// Package convert is the command that turns weight files into one another.
package convert

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/pth"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/modelfile"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/trainer"
)

type flags struct {
	cmd   *cli.Command
	list  bool
	dtype string
	which string
}

// Command is convert.
func Command() *cli.Command {
	c := &cli.Command{
		Name: "convert", About: "turn .pth into .safetensors and back", Forms: []cli.Form{
			{Line: "convert ckpt.pth model.safetensors", What: "and back, by the endings"},
			{Line: "convert theirs.ckpt model.pth", What: "the network's weights alone, of any file that sample reads"},
			{Line: "convert --dtype bf16 ckpt.pth small.safetensors", What: "half the size"},
			{Line: "convert --list FILE", What: "names, types and shapes"},
		},
		Arguments: "IN OUT", ArgumentFiles: modelfile.WeightFiles,
	}
	f := &flags{cmd: c}
	g := c.Group("Weights")
	g.BoolVar(&f.list, "list", false, "list names, types and shapes")
	g.StringVar(&f.dtype, "dtype", "", "bf16 rounds the weights: half the size, and good enough to sample (as they are)")
	g.Choices("dtype", "bf16")
	modelfile.AddWeights(g, &f.which)
	c.AddLast(c.Group("General"), "no progress and no notes", "print one line of JSON: the file that was written, or with --list what the file holds")
	c.Run = f.run
	return c
}

func (f *flags) run(ctx context.Context, env cli.Env) error {
	args := f.cmd.Args()
	if f.list {
		if len(args) != 1 {
			return cli.Usagef("--list takes one file, %d were given", len(args))
		}
		return show(env, args[0], f.cmd.JSON)
	}
	if len(args) != 2 {
		return cli.Usagef("two files are needed, IN and OUT; %d were given", len(args))
	}
	if err := modelfile.CheckWeights(f.which); err != nil {
		return err
	}
	if f.dtype != "" && f.dtype != "bf16" {
		return cli.Usagef("--dtype %q: bf16, or not given", f.dtype)
	}
	in, out := args[0], args[1]
	if !trainer.IsWeightFile(out) {
		return cli.Usagef("%s: the ending must be .pth, .pt or .safetensors", out)
	}
	if err := keepsState(in, out); err != nil {
		return err
	}
	if err := atomicfile.Check(out); err != nil {
		return err
	}
	ck, err := trainer.ReadNetwork(in, trainer.Averaging(f.which))
	if err != nil {
		return err
	}
	if note := ck.Note("--weights raw"); note != "" {
		f.cmd.Note("%s", note)
	}
	if f.dtype == "bf16" {
		if err := ck.ToBFloat16(); err != nil {
			return err
		}
	}
	if err := trainer.WriteWeights(ctx, out, ck.File()); err != nil {
		return err
	}
	if f.cmd.JSON {
		return cli.WriteJSON(env.Stdout, map[string][]string{"files": {out}})
	}
	_, err = fmt.Fprintln(env.Stdout, out)
	return err
}

// keepsState refuses to put weights in the place of what they are taken from, of a run's
// state, which has the optimiser's besides, or of what cannot be read: of a state that is
// damaged, it is what there is to rescue.
func keepsState(in, out string) error {
	there, err := os.Stat(out)
	if err != nil {
		return nil // nothing is there, or it cannot be written to either
	}
	if from, err := os.Stat(in); err == nil && os.SameFile(from, there) {
		return cli.Usagef("%s and %s are the same file: write to another", in, out)
	}
	if !there.Mode().IsRegular() || there.Size() == 0 {
		return nil // nothing is replaced
	}
	old, err := trainer.ReadContent(out)
	switch {
	case err != nil:
		return cli.Usagef("%s is there and cannot be read; it may be what is left of a run's state: write to another file, or remove it first: %v", out, err)
	case old.State():
		return cli.Usagef("%s is a run's state, which has more than weights: write to another file, or remove it first", out)
	}
	return nil
}

// listing is what --list prints with --json.
type listing struct {
	File    string          `json:"file"`
	Entries []leaf          `json:"entries"`
	Tensors int             `json:"tensors"`
	Numbers int64           `json:"numbers"` // in them
	Record  json.RawMessage `json:"record,omitempty"`
}

// leaf is a tensor, by type and shape, or another value.
type leaf struct {
	Name string `json:"name"`
	What string `json:"what"`
}

// show lists everything that the file holds.
func show(env cli.Env, path string, asJSON bool) error {
	f, err := trainer.ReadContent(path)
	if err != nil {
		return err
	}
	list := terminal.List{Column: nameColumn}
	tensors, numbers := 0, int64(0)
	all := listing{File: path, Entries: []leaf{}, Record: f.Record}
	for _, l := range f.Leaves {
		what := any(l.Tensor)
		if l.Tensor == nil {
			what = l.Value
			switch v := l.Value.(type) {
			case nil:
				what = "None"
			case *pth.List:
				what = fmt.Sprintf("a list of %d", len(v.Items))
			case pth.Tuple:
				what = fmt.Sprintf("a tuple of %d", len(v))
			}
		} else {
			tensors, numbers = tensors+1, numbers+l.Tensor.Numel()
		}
		if all.Entries = append(all.Entries, leaf{l.Name, fmt.Sprint(what)}); !asJSON {
			list.Rows = append(list.Rows, []string{terminal.Whole(trainer.Printable(l.Name)), trainer.Printable(fmt.Sprint(what))})
		}
	}
	if asJSON {
		all.Tensors, all.Numbers = tensors, numbers
		return cli.WriteJSON(env.Stdout, all)
	}
	p := terminal.NewPage(env.Stdout)
	p.List(list)
	p.Linef("%s, %s", terminal.Counted(tensors, "tensor"), terminal.Counted(numbers, "number"))
	if f.Record != nil {
		p.Path("record: " + trainer.Printable(string(f.Record)))
	}
	return p.Flush()
}

// nameColumn is the columns that most names of tensors need.
const nameColumn = 43
