// Command convert turns weight files into one another.
package main

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands/convert"
)

func main() { cli.Main(convert.Command()) }
