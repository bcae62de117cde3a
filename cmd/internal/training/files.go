package training

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/wangkuiyi/gotorch/disk"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/snapshots"
	"flowmatch/trainer"
)

// meanings are the files of a run's folder, by the patterns of their names, in the order
// in which people are told of them. A new one is a line here.
var meanings = [][2]string{
	{trainer.CheckpointFile, "the weights, for bin/sample and for PyTorch"},
	{trainer.StateFile, "all that --resume goes on from"},
	{trainer.PrevStateFile, "the state before that"},
	{"state-[0-9]*.pth", "an earlier state"},
	{RunFile, "what was asked for; --config repeats it"},
	{trainer.MetricsFile, "loss, gradient, learning rate of every step"},
	{DataFile, "the files that it was trained on"},
	{"data.png", "what was read of them"},
	{trainer.PairsDir, "the teacher's pairs"},
	{trainer.TensorBoardDir, "for tensorboard --logdir"},
	{"losses.png", "the loss of every step"},
	{snapshots.Dir, "what it had learnt on the way, in pictures"},
	{snapshots.FilmFile, "the film of them"},
	{"ode_sampling_evolution_*.png", "how noise becomes samples"},
	{"vector_field_and_samples_*.gif", "the film of it, with the velocities"},
	{"likelihood_*.png", "the likelihood that the model gives"},
	{"few_step_samples.png", "teacher and student in few steps"},
}

// PrintFiles tells at the end of a run what is in its folder: on a terminal all of it, by
// short names and with what it is. Programs get the paths of what they may want, one a
// line, and so do those who want it quiet.
func PrintFiles(c *cli.Command, env cli.Env, dir string, paths []string) {
	width, terminal := cli.TerminalWidth(env.Stdout)
	if !terminal || c.Quiet {
		fmt.Fprintln(env.Stdout, strings.Join(paths, "\n"))
		return
	}
	fmt.Fprint(env.Stdout, filepath.Clean(dir)+"/\n"+cli.List(width, found(dir)))
}

// found are the files that are there, with what they are.
func found(dir string) (rows [][2]string) {
	entries, err := disk.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, m := range meanings {
		for _, e := range entries {
			if ok, _ := filepath.Match(m[0], e.Name()); !ok {
				continue
			}
			name := e.Name()
			if e.IsDir() {
				name += "/"
			}
			rows = append(rows, [2]string{name, m[1]})
		}
	}
	return rows
}

// Next says which command comes next, in one line: it is there to be copied.
func Next(c *cli.Command, env cli.Env, words ...string) {
	if !c.Quiet {
		fmt.Fprintln(env.Stderr, "next: "+cli.Shell(words))
	}
}
