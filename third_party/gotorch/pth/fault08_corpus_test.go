package pth_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/pth"
)

// Each file of the corpus is refused for its own reason, with an error that says what kind of reason it is.
func TestHostileCorpus(t *testing.T) {
	cases := slices.Concat(hostilePickles(), hostileTensors(), hostileZips(), hostileRecords(t))
	faulttest.Corpus(t, "8 pth", cases, func(b []byte) error {
		_, err := pth.Reader{}.ReadValueFrom(bytes.NewReader(b), int64(len(b)))
		for _, known := range []error{pth.ErrDamaged, pth.ErrRefused, pth.ErrLimit, pth.ErrNotPth, pth.ErrNewerFormat} {
			if errors.Is(err, known) {
				return err
			}
		}
		t.Errorf("not an error of ours: %v", err)
		return err
	})
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
