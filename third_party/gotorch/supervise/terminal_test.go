package supervise

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"unsafe"
)

// terminal makes a pair of ends of a new terminal: that of a person, and that of programs.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	var unlock, number int32
	for request, arg := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(arg))); e != 0 {
			t.Skipf("there are no terminals here: %v", e)
		}
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// inTerminal starts a program that a terminal controls, and gives its output.
func inTerminal(t *testing.T, do string) (*exec.Cmd, *os.File, *bufio.Reader) {
	t.Helper()
	person, program := terminal(t)
	cmd := supervised(t, enough, do)
	cmd.Stdin, cmd.Stderr = program, program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return cmd, person, begin(t, cmd)
}

// Ctrl-C reaches the whole group, and the program hears it once.
func TestControlC(t *testing.T) {
	cmd, person, out := inTerminal(t, "counts signals")
	wantLine(t, out, "ready")
	if _, err := person.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	wantLine(t, out, "one")
	if err := cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	wantLine(t, out, "1")
}

func TestTerminalStaysOne(t *testing.T) {
	_, _, out := inTerminal(t, "tells whether it has a terminal")
	wantLine(t, out, "true")
}
