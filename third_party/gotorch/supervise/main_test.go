package supervise

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
)

// What the test program does in place of its tests, in a process that is supervised.
var programs = map[string]func(){
	"ends": func() {
		fmt.Fprintln(os.Stderr, "a note")
		runtime.GC()
		runtime.GC() // what it closes in between is not descriptor 2
		_, _ = syscall.Write(2, []byte(os.Getenv("SUPERVISE_TEXT")))
		os.Exit(len(os.Getenv("SUPERVISE_STATUS")))
	},
	"exhausts memory": func() {
		for {
			held = append(held, make([]byte, 1<<30))
		}
	},
	"dies": func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	},
	"counts signals": func() {
		signals := make(chan os.Signal, 8)
		signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1)
		fmt.Println("ready")
		for n := 0; ; n++ {
			s := <-signals
			if s == syscall.SIGUSR1 {
				fmt.Println(n)
				os.Exit(0)
			}
			fmt.Println("one")
		}
	},
	"closes its output": func() {
		os.Stdout.Close()
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(5)
	},
	"tells whether it has an output": func() {
		fmt.Fprintln(os.Stderr, OutputClosed())
	},
	"tells whether it has a terminal": func() {
		info, err := os.Stderr.Stat()
		fmt.Println(err == nil && info.Mode()&os.ModeCharDevice != 0)
	},
}

var held [][]byte

func TestMain(m *testing.M) {
	if do := programs[os.Getenv("SUPERVISE_TEST")]; do != nil {
		do()
		os.Exit(0)
	}
	os.Exit(m.Run())
}
