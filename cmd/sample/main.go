// Command sample draws samples of a trained model.
package main

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands/sample"
)

func main() { cli.Main(sample.Command()) }
