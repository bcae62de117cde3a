package training

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// What is wrong with a run's file is said in plain words, none of them Go's.
func TestConfigInPlainWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.json")
	for text, want := range map[string]string{
		`{"values": {"iterations": 1e99}}`:             `mine.json: iterations "1e99": a whole number`,
		`{"values": {"iterations": 1e400}}`:            `mine.json: iterations "1e400": a whole number`,
		`{"values": {"iterations": 1.5}}`:              `mine.json: iterations "1.5": a whole number`,
		`{"values": {"iterations": "x"}}`:              `mine.json: iterations "x": a whole number`,
		`{"values": {"seed": 99999999999999999999}}`:   `mine.json: seed "99999999999999999999": too large a number`,
		`{"values": {"learning-rate": 1e400}}`:         `mine.json: learning-rate "1e400": too large a number`,
		`{"values": {"stratified-times": "maybe"}}`:    `mine.json: stratified-times "maybe": true or false`,
		`{"values": {"iterations": [1]}}`:              "mine.json: iterations: a number, a text, true or false is meant",
		"{\n\"format\": 1e99}":                         `mine.json: line 2: "format": a whole number is meant`,
		`{"values": [1]}`:                              `mine.json: line 1: "values": an object, {...}, is meant`,
		`{"command": 1, "values": {}}`:                 `mine.json: line 1: "command": a text is meant`,
		`{"earlier_iterations": 1, "values": {}}`:      `mine.json: line 1: "earlier_iterations": a list is meant`,
		`{"earlier_iterations": [1e99], "values": {}}`: `a whole number is meant`,
		`[1]`: "mine.json: line 1: an object, {...}, is meant",
		`{"values": {"learning-rate": 1e-3, "seed": 7}}`: "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		f := pflag.NewFlagSet("train", pflag.ContinueOnError)
		f.Int("iterations", 1, "")
		f.Int64("seed", 1, "")
		rate := f.Float64("learning-rate", 1, "")
		f.Bool("stratified-times", false, "")
		err := (&Settings{Config: path}).Apply(f)
		switch {
		case want == "":
			if err != nil || *rate != 1e-3 {
				t.Errorf("%s: %v, a rate of %v", text, err, *rate)
			}
		case err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "strconv") || strings.Contains(err.Error(), "unmarshal"):
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
