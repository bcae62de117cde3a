package set

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"
)

func inventoryOf(files ...string) *Inventory {
	v := &Inventory{}
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		v.Add(name, sha256.Sum256([]byte(text)))
	}
	return v.Sort()
}

func TestInventoryChanges(t *testing.T) {
	was := inventoryOf("a/1=x", "a/2=y", "b/1=z", "b/2=w")
	for name, c := range map[string]struct {
		now  *Inventory
		want string
	}{
		"nothing":  {inventoryOf("b/2=w", "b/1=z", "a/2=y", "a/1=x"), ""},
		"added":    {inventoryOf("a/1=x", "a/2=y", "a/3=q", "b/1=z", "b/2=w"), "1 added (a/3)"},
		"gone":     {inventoryOf("a/1=x", "a/2=y", "b/1=z"), "1 gone (b/2)"},
		"replaced": {inventoryOf("a/1=x", "a/2=q", "b/1=z", "b/2=w"), "1 replaced (a/2)"},
		"a class":  {inventoryOf("a/1=x", "a/2=y", "c/1=z", "c/2=w"), "2 renamed (b/1 is now c/1, b/2 is now c/2)"},
		"copied":   {inventoryOf("a/0=x", "a/1=x", "a/2=y", "b/1=z", "b/2=w"), "1 added (a/0)"},
		"all":      {inventoryOf("1=1", "2=2", "3=3", "a/1=X"), "3 added (1, 2, and 1 more), 3 gone (a/2, b/1, and 1 more), 1 replaced (a/1)"},
	} {
		if got := c.now.Changes(was); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if same := c.now.Fingerprint() == was.Fingerprint(); same != (c.want == "") {
			t.Errorf("%s: the fingerprints' being equal is %v", name, same)
		}
	}
}

// TestInventoryText: the list is sha256sum's, and comes back as it was.
func TestInventoryText(t *testing.T) {
	v := inventoryOf("a b.png=abc", "line\nend=abc", `back\slash=`)
	var b bytes.Buffer
	if _, err := v.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, appendix B.1
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	want := abc + "  a b.png\n\\" + empty + `  back\\slash` + "\n\\" + abc + `  line\nend` + "\n"
	if b.String() != want {
		t.Errorf("%q\nwant %q", b.String(), want)
	}
	again, err := ReadInventory(&b)
	if err != nil || again.Fingerprint() != v.Fingerprint() || again.Changes(v) != "" {
		t.Errorf("%v, error %v", again, err)
	}
	for _, bad := range []string{"hello\n", abc + " a\n", strings.Repeat("x", 64) + "  a\n", strings.Repeat("a", 100<<10)} {
		if _, err := ReadInventory(strings.NewReader(bad)); err == nil {
			t.Errorf("%.20q... is taken for a list", bad)
		}
	}
}
