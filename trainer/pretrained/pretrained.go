// Package pretrained has small trained models inside the program, so that there is
// something to sample before anything was trained: about 4 MB, rounded to bfloat16.
// scripts/pretrained makes them, and its seeds and commands are all that they come from.
//
// They are files like others, with a record and its checksum, and are read by the same
// reader.
package pretrained

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"flowmatch/trainer"
)

//go:embed *.safetensors
var files embed.FS

// reflow ends the name of a rectified model's file.
const reflow = "-reflow"

// Names are the models that there are; those that have a rectified one beside them
// alone, if that is asked for.
func Names(rectified bool) []string {
	entries, err := files.ReadDir(".") // sorted
	if err != nil {
		panic(err) // the program's own
	}
	var all, both []string
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".safetensors")
		if of, ok := strings.CutSuffix(name, reflow); ok {
			both = append(both, of)
		} else {
			all = append(all, name)
		}
	}
	if rectified {
		return both
	}
	return all
}

// Open reads a model, or the one that reflow made of it.
func Open(name string, rectified bool) (*trainer.Checkpoint, error) {
	if !slices.Contains(Names(rectified), name) {
		return nil, fmt.Errorf("no such model is in the program: %s", strings.Join(Names(rectified), ", "))
	}
	if rectified {
		name += reflow
	}
	file, err := files.ReadFile(name + ".safetensors")
	if err != nil {
		return nil, err
	}
	return trainer.ParseCheckpoint(name+", in the program", file)
}
