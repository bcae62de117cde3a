package training

import (
	"path/filepath"

	"flowmatch/cmd/internal/cli"
	"flowmatch/trainer"
)

// observers are what may look at a run, each asked for by a flag. A new one is a line
// here.
var observers = []struct {
	flag, help string
	of         func(dir string) trainer.Observer // of the run in a folder
}{
	{"tensorboard", "write metrics and pictures for TensorBoard, too, into the run's folder tensorboard", func(dir string) trainer.Observer {
		return &trainer.TensorBoard{Dir: filepath.Join(dir, trainer.TensorBoardDir)}
	}},
}

func (r *Stops) addObservers(g *cli.Group) {
	for _, o := range observers {
		r.observing = append(r.observing, g.Bool(o.flag, false, o.help))
	}
}

// observers are those that the flags ask for.
func (r *Stops) observers(dir string) []trainer.Observer {
	var all []trainer.Observer
	for i, o := range observers {
		if *r.observing[i] {
			all = append(all, o.of(dir))
		}
	}
	return all
}
