// Command reflow straightens the paths of a trained model, so that few steps are enough.
package main

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands/reflow"
)

func main() { cli.Main(reflow.Command()) }
