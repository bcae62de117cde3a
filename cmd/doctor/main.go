// Command doctor says what this machine and this installation can do.
package main

import (
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands/doctor"
)

func main() { cli.Main(doctor.Command()) }
