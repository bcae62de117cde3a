package training

import (
	"path/filepath"

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

// Files are those that are in a run's folder, the checkpoint first, with what they are.
func Files(dir string) (all []cli.Written) {
	entries, err := disk.ReadDir(dir)
	if err != nil {
		return nil // whoever wrote them has been told
	}
	for _, m := range meanings {
		for _, e := range entries {
			if ok, _ := filepath.Match(m[0], e.Name()); !ok {
				continue
			}
			all = append(all, cli.Written{Path: filepath.Join(dir, e.Name()), Folder: e.IsDir(), What: m[1]})
		}
	}
	return all
}
