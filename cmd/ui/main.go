// Command ui serves a page on which flows are looked at, drawn, sampled and followed.
package main

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands/ui"
)

func main() { cli.Main(ui.Command()) }
