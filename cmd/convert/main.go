// Command convert turns weight files into one another.
package main

import (
	"context"
	"fmt"

	"github.com/wangkuiyi/gotorch/atomicfile"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/trainer"
)

func main() { cli.Main("convert", run) }

func run(_ context.Context, env cli.Env) error {
	cli.Forms["convert"] = `convert ckpt.pth model.safetensors     and back, by the endings
convert --list FILE                    names, types and shapes`
	c := cli.New("convert", "turn .pth into .safetensors and back")
	list := c.Bool("list", false, "list names, types and shapes")
	c.BoolVar(&c.Quiet, "quiet", false, "no progress and no notes")
	c.AddVersion()
	if err := c.Read(env); err != nil {
		return err
	}
	if *list {
		if c.NArg() != 1 {
			return cli.Usagef("--list takes one file, %d were given", c.NArg())
		}
		return show(env, c.Arg(0))
	}
	if c.NArg() != 2 {
		return cli.Usagef("two files are needed, IN and OUT; %d were given", c.NArg())
	}
	in, out := c.Arg(0), c.Arg(1)
	for _, path := range []string{in, out} {
		if !trainer.IsWeightFile(path) {
			return cli.Usagef("%s: the ending must be .pth, .pt or .safetensors", path)
		}
	}
	if err := atomicfile.Check(out); err != nil {
		return err
	}
	f, err := trainer.ReadWeights(in)
	if err != nil {
		return err
	}
	if err := trainer.WriteWeights(out, f); err != nil {
		return err
	}
	fmt.Fprintln(env.Stdout, out)
	return nil
}

func show(env cli.Env, path string) error {
	if !trainer.IsWeightFile(path) {
		return cli.Usagef("%s: the ending must be .pth, .pt or .safetensors", path)
	}
	f, err := trainer.ReadWeights(path)
	if err != nil {
		return err
	}
	total := int64(0)
	for name, t := range f.Tensors.All() {
		fmt.Fprintf(env.Stdout, "%-44s %s\n", name, t)
		total += t.Numel()
	}
	fmt.Fprintf(env.Stdout, "%d tensors, %s numbers\n", f.Tensors.Len(), terminal.Count(total))
	if f.Record != nil {
		fmt.Fprintf(env.Stdout, "record: %s\n", f.Record)
	}
	return nil
}
