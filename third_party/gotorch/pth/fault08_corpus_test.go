package pth_test

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/pth"
)

// hostile is a file that must be refused, and a part of the reason.
type hostile struct {
	name string
	data []byte
	want string
}

// Each file of the corpus is refused for its own reason, in one line, quickly and without much memory.
func TestHostileCorpus(t *testing.T) {
	cases := slices.Concat(hostilePickles(), hostileTensors(), hostileZips(), hostileRecords(t))
	names := make(map[string]bool)
	var slowest time.Duration
	var largest uint64
	for _, c := range cases {
		if names[c.name] {
			t.Errorf("%s: twice in the corpus", c.name)
		}
		names[c.name] = true
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := pth.Reader{}.ReadValueFrom(bytes.NewReader(c.data), int64(len(c.data)))
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		for again := 0; took > 50*time.Millisecond && again < 20; again++ { // the machine may be busy
			start := time.Now()
			_, _ = pth.Reader{}.ReadValueFrom(bytes.NewReader(c.data), int64(len(c.data)))
			took = min(took, time.Since(start))
		}
		slowest, largest = max(slowest, took), max(largest, used)
		known := errors.Is(err, pth.ErrDamaged) || errors.Is(err, pth.ErrRefused) || errors.Is(err, pth.ErrLimit) ||
			errors.Is(err, pth.ErrNotPth) || errors.Is(err, pth.ErrNewerFormat)
		switch {
		case err == nil:
			t.Errorf("%s: was read", c.name)
		case !known || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 400:
			t.Errorf("%s: got %q, want ...%s...", c.name, err, c.want)
		case took > 100*time.Millisecond && !raceEnabled:
			t.Errorf("%s: took %v", c.name, took)
		case used > 32<<20+2*uint64(len(c.data)) && !raceEnabled: // all of it, also what was freed since
			t.Errorf("%s: used %d bytes", c.name, used)
		}
	}
	if len(cases) < 80 {
		t.Errorf("only %d files in the corpus", len(cases))
	}
	faulttest.Report(t, "8 pth", len(cases))
	t.Logf("%d files refused; slowest %v, most memory %d KiB", len(cases), slowest, largest>>10)
}

// What is unusual but right is read: the corpus above is refused for what it says.
func TestGoodCorpus(t *testing.T) {
	p := func(body string) []byte { return checkpoint("\x80\x02" + body + ".").bytes() }
	plain := good()
	for _, e := range plain.entries {
		e.plain()
	}
	mixed := good()
	mixed.entry(storage0).plain()
	padded := good()
	padded.entry(storage0).local.extra = "FB\x04\x00ZZZZ"
	shuffled := good()
	slices.Reverse(shuffled.entries)
	old := good()
	old.entries = slices.DeleteFunc(old.entries, func(e *zipEntry) bool { return strings.HasSuffix(e.name, "byteorder") })
	renamed := good()
	for _, e := range renamed.entries {
		e.name = "model-ü" + strings.TrimPrefix(e.name, "archive")
		e.local.name, e.central.name = e.name, e.name
	}
	plain64 := good()
	plain64.noEnd64 = true
	extra := good()
	extra.add("archive/data/7", "not referred to")
	extra.add("archive/extra/notes.txt", "someone else's")

	for _, c := range []struct {
		name string
		data []byte
	}{
		{"as torch.save", good().bytes()},
		{"without descriptors", plain.bytes()},
		{"one without a descriptor", mixed.bytes()},
		{"padded for alignment", padded.bytes()},
		{"another order", shuffled.bytes()},
		{"without byteorder", old.bytes()},
		{"another top folder", renamed.bytes()},
		{"without ZIP64 end records", plain64.bytes()},
		{"further records", extra.bytes()},
		{"None", p("N")},
		{"int of 8 bytes", p("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f")},
		{"int of 0 bytes", p("\x8a\x00")},
		{"negative int", p("\x8a\x01\xff")},
		{"float", p("G\x3f\xf0\x00\x00\x00\x00\x00\x00")},
		{"tuples", p("()K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87t")},
		{"list by APPEND and APPENDS", p("]K\x01a(K\x02K\x03e")},
		{"dict by SETITEM", p("}" + str("x") + vector + "s")},
		{"int keys", p("}(K\x00NK\x01Nu")},
		{"shared list", p("](]q\x00h\x00h\x00e")},
		{"long memo", p("Nr\x00\x01\x00\x00j\x00\x01\x00\x00\x86")},
		{"tensor", p(vector)},
		{"twice the same storage", p("(" + vector + vector + "t")},
		{"OrderedDict with _metadata", p(hooks + "}" + str("_metadata") + hooks + "sb")},
		{"parameter", p("ctorch._utils\n_rebuild_parameter\n(" + vector + "\x88" + hooks + "tR")},
		{"63 levels", p(strings.Repeat("]", 64) + strings.Repeat("a", 63))},
	} {
		if _, err := (pth.Reader{}).ReadValueFrom(bytes.NewReader(c.data), int64(len(c.data))); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Limits are what the caller says.
func TestLimits(t *testing.T) {
	b := good().bytes()
	for _, c := range []struct {
		reader pth.Reader
		want   string
	}{
		{pth.Reader{MaxEntries: 4}, "5 ZIP entries, at most 4"},
		{pth.Reader{MaxPickle: 10}, "data.pkl: "},
		{pth.Reader{MaxValues: 3}, "more than 3 values"},
		{pth.Reader{MaxString: 3}, "a string of 7 bytes, at most 3"},
		{pth.Reader{MaxMemory: 100}, "more than 100 bytes"},
	} {
		_, err := c.reader.ReadFrom(bytes.NewReader(b), int64(len(b)))
		if !errors.Is(err, pth.ErrLimit) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v", c.reader, err)
		}
	}
	deep := checkpoint("\x80\x02" + strings.Repeat("]", 65) + strings.Repeat("a", 64) + ".").bytes()
	if _, err := (pth.Reader{}).ReadValueFrom(bytes.NewReader(deep), int64(len(deep))); !errors.Is(err, pth.ErrLimit) {
		t.Errorf("65 levels: got %v", err)
	}
	if _, err := (pth.Reader{MaxDepth: 65}).ReadValueFrom(bytes.NewReader(deep), int64(len(deep))); err != nil {
		t.Errorf("65 levels, allowed: got %v", err)
	}
}
