package licences

import (
	"bufio"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

const root = "../../../"

// Each module of go.mod has its licence, of the version that is used, and no other has.
func TestModules(t *testing.T) {
	f, err := os.Open(root + "go.mod")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var want []string
	in := false
	for s := bufio.NewScanner(f); s.Scan(); {
		words := strings.Fields(s.Text())
		switch {
		case len(words) == 2 && words[0] == "require" && words[1] == "(":
			in = true
		case len(words) == 1 && words[0] == ")":
			in = false
		case in && len(words) >= 2 && words[0] != "github.com/wangkuiyi/gotorch": // our own
			want = append(want, strings.ReplaceAll(words[0], "/", "_")+"@"+words[1]+".txt")
		}
	}
	var got []string
	entries, err := fs.ReadDir(texts, "texts")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), "@") {
			got = append(got, e.Name())
		}
		if b, err := fs.ReadFile(texts, "texts/"+e.Name()); err != nil || len(b) < 100 {
			t.Errorf("%s: %d bytes, %v", e.Name(), len(b), err)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("licences of %v, go.mod has %v: run scripts/licences", got, want)
	}
}

func TestText(t *testing.T) {
	mine, err := os.ReadFile(root + "LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	text := Text()
	if !strings.HasPrefix(text, "==== flowmatch\n\n"+strings.TrimSpace(string(mine))+"\n") {
		t.Error("it does not begin with LICENSE: run scripts/licences")
	}
	for _, part := range []string{"==== Go\n", "The Go Authors", "==== digits\n", "CC BY 4.0", "==== github.com/spf13/pflag@v", "==== libtorch and CUDA\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("it has no %q", part)
		}
	}
}
