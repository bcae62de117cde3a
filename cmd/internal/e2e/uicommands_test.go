package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowmatch/datasets/npz"
)

// asked gives the data of a page's answers to a request of its own, by the events' names.
func asked(t *testing.T, address, path string, body any) map[string][]json.RawMessage {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, address+"api/"+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Flowmatch-Page", "a-test-of-the-page")
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", path, got.StatusCode, text, err)
	}
	events := map[string][]json.RawMessage{}
	for e := range strings.SplitSeq(strings.TrimSuffix(string(text), "\n\n"), "\n\n") {
		name, data, _ := strings.Cut(e, "\n")
		name = strings.TrimPrefix(name, "event: ")
		events[name] = append(events[name], json.RawMessage(strings.TrimPrefix(data, "data: ")))
	}
	return events
}

func first[V any](t *testing.T, events map[string][]json.RawMessage, name string) (v V) {
	t.Helper()
	if len(events[name]) == 0 {
		t.Fatalf("no %s, but %q", name, events)
	}
	if err := json.Unmarshal(events[name][0], &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// inShell does what a command that the page shows does, with more flags.
func inShell(t *testing.T, dir, command string, more ...string) {
	t.Helper()
	for one := range strings.SplitSeq(command, " && ") {
		words := strings.Fields(strings.ReplaceAll(one, "'", "")) // no word of these has a space
		name, ok := strings.CutPrefix(words[0], "bin/")
		if !ok {
			t.Fatalf("the command is %q", command)
		}
		args := append(words[1:], "--device", "cpu", "--no-figures")
		if name == "sample" {
			args = append(args, more...)
		}
		must(t, programIn(t, dir, name, nil, args...))
	}
}

func savedSamples(t *testing.T, path string) *npz.Samples {
	t.Helper()
	s, err := npz.OpenSamples(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i, v := range want {
		if math.Abs(float64(got[i]-v)) > 0.05 { // in bf16 other batches differ by so much
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], v)
		}
	}
}

// The commands that the page shows give what it shows.
func TestPageCommands(t *testing.T) {
	cmd, address := page(t, "--quiet")

	const count, steps = 60, 4
	points := asked(t, address, "trace", map[string]any{"models": []string{"pretrained/checkerboard"}, "seed": 5, "count": count, "method": "midpoint", "steps": steps})
	seen := make([]float32, 2*count)
	for _, raw := range points["frame"] {
		var f struct {
			Frame, First int
			X            string
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		b, err := base64.StdEncoding.DecodeString(f.X)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; f.Frame == steps && i < len(b)/4; i++ {
			seen[2*f.First+i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
	}
	commands := first[struct{ Commands []string }](t, points, "start").Commands
	inShell(t, cmd.Dir, commands[0], "--npz", "points.npz")
	near(t, commands[0], seen, savedSamples(t, filepath.Join(cmd.Dir, "points.npz")).X)

	pictures := asked(t, address, "pictures", map[string]any{"model": "pretrained/digits", "class": 7, "seed": 3, "guidance": 1, "method": "euler", "steps": 3, "seeds": []int{4}})
	command := first[struct{ Command string }](t, pictures, "start").Command
	inShell(t, cmd.Dir, command, "--npz", "digit.npz")
	saved := filepath.Join(cmd.Dir, "saved.npz")
	_, body := get(t, address+"api/result/"+first[struct{ Result string }](t, pictures, "done").Result+".npz")
	if err := os.WriteFile(saved, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
	mine, theirs := savedSamples(t, filepath.Join(cmd.Dir, "digit.npz")), savedSamples(t, saved)
	if len(theirs.X) != 2*64 || fmt.Sprint(theirs.Y) != "[7 7]" {
		t.Fatalf("saved: %d numbers, classes %v", len(theirs.X), theirs.Y)
	}
	near(t, command, theirs.X[:64], mine.X)

	// A drawing, saved as the page saves it.
	var drawn []float32
	var csv strings.Builder
	for i := range 40 {
		x, y := float32(i%8)/4-1, float32(i/8)/4-1
		drawn = append(drawn, x, y)
		fmt.Fprintf(&csv, "%v,%v\n", x, y)
	}
	if err := os.WriteFile(filepath.Join(cmd.Dir, "drawing.csv"), []byte(csv.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	trained := asked(t, address, "train", map[string]any{"points": drawn, "iterations": 5, "seed": 1})
	model := first[struct{ Model string }](t, trained, "done").Model
	points = asked(t, address, "trace", map[string]any{"models": []string{model}, "seed": 5, "count": 10, "method": "euler", "steps": 2})
	inShell(t, cmd.Dir, first[struct{ Commands []string }](t, points, "start").Commands[0], "--npz", "drawn.npz")
	if x := savedSamples(t, filepath.Join(cmd.Dir, "drawn.npz")).X; len(x) != 20 {
		t.Errorf("samples of a drawing: %d numbers", len(x))
	}
}
