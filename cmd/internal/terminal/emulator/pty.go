package emulator

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Pty is a pseudo-terminal, whose output an emulator shows.
type Pty struct {
	// File is the end for the program that is watched.
	File *os.File

	mu     sync.Mutex
	term   *Terminal
	master *os.File
	ended  chan struct{}
}

// Open opens a pseudo-terminal of so many columns.
func Open(width int) (*Pty, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	p := &Pty{term: New(width), master: master, ended: make(chan struct{})}
	fd := int(master.Fd())
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil { // unlocked
		var n int
		if n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN); err == nil {
			p.File, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
		}
	}
	if err == nil {
		err = p.setWidth(width)
	}
	if err != nil {
		master.Close()
		return nil, err
	}
	go p.read()
	return p, nil
}

func (p *Pty) setWidth(width int) error {
	return unix.IoctlSetWinsize(int(p.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(width)})
}

// read ends when nobody has the other end open any more: that is an error to read.
func (p *Pty) read() {
	defer close(p.ended)
	b := make([]byte, 4096)
	for {
		n, err := p.master.Read(b)
		p.mu.Lock()
		_, _ = p.term.Write(b[:n]) // it takes everything
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Resize makes the terminal so many columns wide. What was written before should have
// been read: Settle waits for that.
func (p *Pty) Resize(width int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.term.Resize(width)
	return p.setWidth(width)
}

// Settle waits until the screen is as a condition wants it.
func (p *Pty) Settle(as func(screen []string) bool, tries int) bool {
	for range tries {
		p.mu.Lock()
		ok := as(p.term.Screen())
		p.mu.Unlock()
		if ok {
			return true
		}
		unix.Nanosleep(&unix.Timespec{Nsec: 5_000_000}, nil)
	}
	return false
}

// Close lets go of the program's end, waits for what was written, and gives the terminal.
func (p *Pty) Close() *Terminal {
	p.File.Close()
	<-p.ended
	p.master.Close()
	return p.term
}
