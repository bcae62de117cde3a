package set

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Inventory lists the files that a set was read from, by name and SHA-256, so that a run
// can tell whether it goes on with the data that it began with, and what has changed.
//
// Written out it is what sha256sum prints, sorted by name. A file that is kept packed
// counts as what it unpacks to: where it lies and how is no part of the data.
type Inventory struct {
	files []inventoryFile // by name
}

type inventoryFile struct {
	name string // below the set's folder
	sum  [sha256.Size]byte
}

// Add adds a file. Once all are there, Sort brings them into the order in which they are
// written.
func (v *Inventory) Add(name string, sum [sha256.Size]byte) {
	v.files = append(v.files, inventoryFile{name, sum})
}

// Sort brings the files into order.
func (v *Inventory) Sort() *Inventory {
	slices.SortFunc(v.files, func(a, b inventoryFile) int { return strings.Compare(a.name, b.name) })
	return v
}

// Fingerprint is the SHA-256 of the list, in hex.
func (v *Inventory) Fingerprint() string {
	h := sha256.New()
	_, _ = v.WriteTo(h) // a hash takes all
	return hex.EncodeToString(h.Sum(nil))
}

// WriteTo writes the list, a line a file.
func (v *Inventory) WriteTo(w io.Writer) (int64, error) {
	var n int64
	out := bufio.NewWriterSize(w, 64<<10)
	for _, f := range v.files {
		k, err := out.WriteString(f.line())
		if n += int64(k); err != nil {
			return n, err
		}
	}
	return n, out.Flush()
}

// line is as sha256sum prints it: a name with a line's end in it is escaped, and the
// line then begins with a backslash.
func (f inventoryFile) line() string {
	sum, name := hex.EncodeToString(f.sum[:]), f.name
	if strings.ContainsAny(name, "\n\r\\") {
		sum, name = `\`+sum, inventoryEscape.Replace(name)
	}
	return sum + "  " + name + "\n"
}

var (
	inventoryEscape   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	inventoryUnescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
)

// inventoryLongest is the longest line that is read: no path is longer.
const inventoryLongest = 64 << 10

// ReadInventory reads what WriteTo wrote.
func ReadInventory(r io.Reader) (*Inventory, error) {
	v := &Inventory{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, inventoryLongest)
	for lines.Scan() {
		line, escaped := bytes.CutPrefix(lines.Bytes(), []byte(`\`))
		const digits = 2 * sha256.Size
		if len(line) < digits+3 || string(line[digits:digits+2]) != "  " {
			return nil, errors.New("not a list of files and their SHA-256")
		}
		f := inventoryFile{name: string(line[digits+2:])}
		if _, err := hex.Decode(f.sum[:], line[:digits]); err != nil {
			return nil, fmt.Errorf("not a list of files and their SHA-256: %w", err)
		}
		if escaped {
			f.name = inventoryUnescape.Replace(f.name)
		}
		v.files = append(v.files, f)
	}
	return v.Sort(), lines.Err()
}

// Changes says what is different from an earlier list, in words: "1 added (a/3.png), 2
// renamed (b/0.png is now c/0.png, and 1 more)". It is empty where nothing is.
func (v *Inventory) Changes(was *Inventory) string {
	before := make(map[string][sha256.Size]byte, len(was.files))
	for _, f := range was.files {
		before[f.name] = f.sum
	}
	var added, gone, replaced, renamed []string
	fresh := map[[sha256.Size]byte][]string{} // files with new names, by what they hold
	now := make(map[string]bool, len(v.files))
	for _, f := range v.files {
		now[f.name] = true
		sum, known := before[f.name]
		switch {
		case !known:
			fresh[f.sum] = append(fresh[f.sum], f.name)
		case sum != f.sum:
			replaced = append(replaced, f.name)
		}
	}
	for _, f := range was.files {
		if now[f.name] {
			continue
		}
		if names := fresh[f.sum]; len(names) > 0 {
			renamed = append(renamed, f.name+" is now "+names[0])
			fresh[f.sum] = names[1:]
			continue
		}
		gone = append(gone, f.name)
	}
	for _, names := range fresh {
		added = append(added, names...)
	}
	slices.Sort(added)
	var parts []string
	for _, c := range []struct {
		what  string
		names []string
	}{{"added", added}, {"gone", gone}, {"replaced", replaced}, {"renamed", renamed}} {
		if len(c.names) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s (%s)", len(c.names), c.what, FirstOf(c.names)))
		}
	}
	return strings.Join(parts, ", ")
}

// FirstOf names the first two of many.
func FirstOf(names []string) string {
	const named = 2
	if len(names) <= named {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(names[:named], ", "), len(names)-named)
}
