// Command compare shows a model beside the one that reflow made of it.
package main

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands/compare"
)

func main() { cli.Main(compare.Command()) }
