// Package commands has the programs of bin, each in a package of its own.
package commands

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands/compare"
	"flowmatch/cmd/internal/commands/convert"
	"flowmatch/cmd/internal/commands/doctor"
	"flowmatch/cmd/internal/commands/evaluate"
	"flowmatch/cmd/internal/commands/reflow"
	"flowmatch/cmd/internal/commands/sample"
	"flowmatch/cmd/internal/commands/train"
	"flowmatch/cmd/internal/commands/ui"
)

// All are the programs, in the order in which they are used.
func All() []*cli.Command {
	return []*cli.Command{
		train.Command(), sample.Command(), reflow.Command(), compare.Command(), evaluate.Command(), convert.Command(), ui.Command(), doctor.Command(),
	}
}
