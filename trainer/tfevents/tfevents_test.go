package tfevents

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// What the RecordWriter of tensorboard 2.21 makes of the same events.
var known = []struct {
	event  Event
	record string // in hexadecimal
}{
	{Event{WallTime: 1.5, FileVersion: Version},
		"1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c"},
	{Event{WallTime: 1.5, Step: 301, Start: true},
		"100000000000000095fbfe1809000000000000f83f10ad023a020801d17949d4"},
	{Event{WallTime: 1.5, Step: 300, Scalars: []Scalar{{"loss", 0.25}, {"loss_by_time/0.9", -1}}},
		"34000000000000005e33175c09000000000000f83f10ac022a260a0b0a046c6f7373150000803e0a170a106c6f73735f62795f74696d652f302e3915000080bfc6bcecfe"},
	{Event{WallTime: 1.5, Step: 800, Pictures: []Picture{{"samples", 300, 2, []byte("\x89PNG")}}},
		"2800000000000000ff70164a09000000000000f83f10a0062a1a0a180a0773616d706c6573220d080210ac021803220489504e478bf7b628"},
}

func TestKnownRecords(t *testing.T) {
	for _, k := range known {
		want, err := hex.DecodeString(k.record)
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendRecord(nil, k.event.Append(nil)); !bytes.Equal(got, want) {
			t.Errorf("%+v is\n%x, want\n%x", k.event, got, want)
		}
		data, err := ReadRecord(bytes.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		if e, err := ParseEvent(data); err != nil || !reflect.DeepEqual(e, k.event) {
			t.Errorf("%+v is read as %+v: %v", k.event, e, err)
		}
	}
}

// A record that is torn or changed anywhere is not read, nor is what follows.
func TestDamagedRecords(t *testing.T) {
	whole := AppendRecord(nil, Event{Step: 7, Scalars: []Scalar{{"loss", 1}}}.Append(nil))
	if _, err := ReadRecord(bytes.NewReader(nil)); err != io.EOF {
		t.Errorf("an empty file: %v", err)
	}
	for i := range whole {
		if _, err := ReadRecord(bytes.NewReader(whole[:i])); i > 0 && !errors.Is(err, ErrDamaged) {
			t.Errorf("torn at %d: %v", i, err)
		}
		changed := slices.Clone(whole)
		changed[i] ^= 4
		if _, err := ReadRecord(bytes.NewReader(changed)); !errors.Is(err, ErrDamaged) {
			t.Errorf("changed at %d: %v", i, err)
		}
	}
}

// Events of other writers have other fields; what is no event is told.
func TestParseEvent(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       Event
		ok         bool
	}{
		{"nothing", "", Event{}, true},
		{"a log message", "\x32\x03abc\x10\x05", Event{Step: 5}, true},
		{"a histogram", "\x2a\x08\x0a\x06\x0a\x01a\x2a\x01x", Event{}, true},
		{"a picture cut short", "\x2a\x08\x0a\x06\x0a\x01a\x22\x01x", Event{}, false},
		{"a negative step", "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", Event{Step: -1}, true},
		{"a session that stops", "\x3a\x02\x08\x02", Event{}, true},
		{"a group", "\x0b", Event{}, false},
		{"a number cut short", "\x10\xff", Event{}, false},
		{"a time cut short", "\x09123", Event{}, false},
		{"a value cut short", "\x2a\x05\x0a\x03\x15\x00\x00", Event{}, false},
		{"a length beyond the end", "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a", Event{}, false},
	} {
		e, err := ParseEvent([]byte(c.data))
		if (err == nil) != c.ok || c.ok && !reflect.DeepEqual(e, c.want) {
			t.Errorf("%s: %+v, %v", c.name, e, err)
		}
	}
}

// The last step is what TensorBoard shows: a start takes back, damage ends a file but
// not the folder, and other writers' files are not looked at.
func TestLast(t *testing.T) {
	dir := t.TempDir()
	last := func(want int64) {
		t.Helper()
		if got, err := Last(dir); err != nil || got != want {
			t.Errorf("the last step is %d, want %d: %v", got, want, err)
		}
	}
	add := func(damage string, events ...Event) {
		t.Helper()
		f, err := Create(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var b []byte
		for _, e := range events {
			b = AppendRecord(b, e.Append(nil))
		}
		if _, err := f.Write(append(b, damage...)); err != nil {
			t.Fatal(err)
		}
	}
	step := func(n int64) Event { return Event{Step: n, Scalars: []Scalar{{"loss", 1}}} }
	last(0)
	add("", Event{FileVersion: Version}, Event{Step: 1, Start: true})
	last(0)
	add("torn", step(1), step(2), step(3))
	last(3)
	add("", Event{Step: 3, Start: true})
	last(2)
	add("", Event{Step: 3, Start: true}, step(3))
	last(3)
	other := AppendRecord(nil, step(99).Append(nil))
	if err := os.WriteFile(filepath.Join(dir, "events.out.tfevents.9999999999.host.1.0"), other, 0o666); err != nil {
		t.Fatal(err)
	}
	last(3)
	if names, err := Files(dir); err != nil || len(names) != 4 || !slices.IsSorted(names) {
		t.Errorf("files %v: %v", names, err)
	}
}
