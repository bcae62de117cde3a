// Command evaluate measures how good a trained model is.
package main

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands/evaluate"
)

func main() { cli.Main(evaluate.Command()) }
