// Command train trains a velocity field by flow matching.
package main

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands/train"
)

func main() { cli.Main(train.Command()) }
