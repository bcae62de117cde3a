package tfevents

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wangkuiyi/gotorch/disk"
)

// The names of this package's files: TensorBoard wants the infix, and the number is the
// Unix time at which they were begun.
const (
	prefix = "events.out.tfevents."
	suffix = ".flowmatch"
)

// Files lists the event files of a folder that this package made, in the order in
// which they are read.
func Files(dir string) ([]string, error) {
	entries, err := disk.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Create makes a file that is read after the others of its folder, whatever the clock
// says.
func Create(dir string) (disk.File, error) {
	names, err := Files(dir)
	if err != nil {
		return nil, err
	}
	at := time.Now().Unix()
	for _, name := range names {
		n, err := strconv.ParseInt(name[len(prefix):len(name)-len(suffix)], 10, 64)
		if err == nil && n < 9_999_999_999 {
			at = max(at, n+1)
		}
	}
	return disk.Create(filepath.Join(dir, fmt.Sprintf("%s%010d%s", prefix, at, suffix)))
}

// Read calls f for the events of a file, up to its end or to what is damaged.
func Read(path string, f func(Event)) error {
	file, _, err := disk.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 1<<16)
	for {
		data, err := ReadRecord(r)
		if err == io.EOF || errors.Is(err, ErrDamaged) {
			return nil
		}
		if err != nil {
			return err
		}
		e, err := ParseEvent(data)
		if err != nil {
			return nil
		}
		f(e)
	}
}

// Last is the last step with scalars in the files of a folder, as TensorBoard sees
// them; 0 where there is none.
func Last(dir string) (step int64, err error) {
	names, err := Files(dir)
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		err := Read(filepath.Join(dir, name), func(e Event) {
			switch {
			case e.Start:
				step = max(0, min(step, e.Step-1))
			case len(e.Scalars) > 0:
				step = e.Step
			}
		})
		if err != nil {
			return 0, err
		}
	}
	return step, nil
}
