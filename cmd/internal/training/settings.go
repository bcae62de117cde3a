package training

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/wangkuiyi/gotorch/regular"
	"github.com/wangkuiyi/gotorch/strictjson"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Where the value of a flag came from.
const (
	fromDefault = "default"
	fromRecipe  = "recipe" // or the set's own defaults
	fromMachine = "machine"
	fromData    = "chosen" // by a user's own pictures
	fromPreset  = "preset"
	fromConfig  = "config"
	fromFlag    = "flag"
)

// Settings are a run's flags by --preset and --config, which the command line overrides,
// and where each came from.
type Settings struct {
	Preset, Config string
	// DryRun asks for the values of a run, and what it costs, in its place.
	DryRun bool

	job     Job
	from    map[string]string // of the flags that were set
	earlier []int             // planned ends of the run that --config repeats, before its last one
}

// Add adds the flags of a command that does such a job.
func (s *Settings) Add(g *cli.Group, job Job) {
	s.job = job
	g.StringVar(&s.Preset, "preset", "", "flags of a run by name, which other flags override; help lists them")
	var names []string
	for _, p := range presets[job] {
		names = append(names, p.name)
	}
	g.Choices("preset", append(names, "help")...)
	g.StringVar(&s.Config, "config", "", "repeat the run of this run.json, but for the flags that are given")
	g.Files("config", "json")
	g.BoolVar(&s.DryRun, "dry-run", false, "print every value with its origin, parameters, memory and time, by a few steps; touch nothing on the disk")
}

// Untouched tells whether the command only tells of a run that would start: one that is
// there does not mind.
func (s *Settings) Untouched(r *Stops) bool { return s.DryRun && r.ResumeFrom == "" }

// notKept are flags of a command, not of a run.
var notKept = []string{"preset", "config", "resume", "fresh", "resume-from", "new-data", "dry-run", "summary", "json", "quiet", "version", "help", "max-steps", "output-dir", "device", "threads", "download"}

// instead are flags that a value stays away for: the command line says the same in other
// words.
var instead = map[string]string{"iterations": "epochs", "epochs": "iterations", "figure-samples": "no-figures", "no-figures": "figure-samples"}

// Apply sets the flags that the preset or the run's file names and the command line does not.
func (s *Settings) Apply(f *pflag.FlagSet) error {
	s.from = map[string]string{}
	f.Visit(func(f *pflag.Flag) { s.from[f.Name] = fromFlag })
	set := func(name, value, from, where string) error {
		if s.from[name] == fromFlag || s.from[instead[name]] == fromFlag {
			return nil
		}
		if value == "" {
			return cli.Usagef("%s: %s is empty: give a value, or leave it out", where, name)
		}
		if err := f.Set(name, value); err != nil {
			return cli.Usagef("%s: %s", where, cli.Meant(err))
		}
		s.from[name] = from
		return nil
	}
	switch {
	case s.Preset != "" && s.Config != "":
		return cli.Usagef("--preset and --config exclude each other")
	case s.Preset != "":
		p, err := s.findPreset(s.Preset)
		if err != nil {
			return err
		}
		for _, v := range p.flags {
			if err := set(v[0], v[1], fromPreset, "--preset "+p.name); err != nil {
				return err
			}
		}
	case s.Config != "":
		file, err := readRunFile(s.Config)
		var bad *notRunFile
		switch {
		case errors.As(err, &bad):
			return cli.Usagef("--config %v", err)
		case err != nil:
			return fmt.Errorf("--config: %w", err)
		}
		if own := s.job.String(); file.Command != "" && file.Command != own {
			return cli.Usagef("--config %s: it tells of a run of %s, not of %s", s.Config, file.Command, own)
		}
		s.earlier = file.Earlier
		for _, name := range slices.Sorted(maps.Keys(file.Values)) {
			known := f.Lookup(name)
			if known == nil || slices.Contains(notKept, name) || known.Name != name {
				return cli.Usagef("%s: %q is no setting of a run%s", s.Config, name, near(f, name))
			}
			if file.From[name] == fromMachine {
				continue // this machine decides for itself
			}
			text, err := textOf(file.Values[name])
			if err != nil {
				return cli.Usagef("%s: %s: %v", s.Config, name, err)
			}
			if err := set(name, text, fromConfig, s.Config); err != nil {
				return err
			}
		}
	}
	return nil
}

func near(f *pflag.FlagSet, name string) string {
	var names []string
	f.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(notKept, f.Name) {
			names = append(names, f.Name)
		}
	})
	if n := datasets.Closest(strings.ReplaceAll(name, "_", "-"), names); n != "" {
		return "; did you mean " + n + "?"
	}
	return ""
}

// ByHand tells whether the command line itself gave a flag.
func (s *Settings) ByHand(c *cli.Command, name string) bool {
	if s == nil || s.from == nil {
		return c.Changed(name)
	}
	return s.from[name] == fromFlag
}

// textOf is a JSON value as a flag's.
func textOf(raw json.RawMessage) (string, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // how large a number may be is the flag's to say
	if err := d.Decode(&v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case bool, json.Number:
		return strings.TrimSpace(string(raw)), nil
	}
	return "", errors.New("a number, a text, true or false is meant")
}

// Resolved are the values that decide a run, by their flags' names, and where each came
// from. network is nil where no flag describes it.
func (s *Settings) Resolved(f *pflag.FlagSet, c trainer.Config, in datasets.Info, network models.Config) (values map[string]json.RawMessage, from map[string]string) {
	values, from = map[string]json.RawMessage{}, map[string]string{}
	unsaid := kinds.Each[[]string]{Points: []string{"network", "class-dropout", "horizontal-flip"}}.Of(in)
	put := func(name string, raw json.RawMessage, origin string) {
		if known := f.Lookup(name); known == nil || slices.Contains(notKept, name) || slices.Contains(unsaid, name) {
			return
		}
		if s.from[name] != "" {
			origin = s.from[name]
		}
		values[name], from[name] = raw, origin
	}
	f.Visit(func(f *pflag.Flag) { put(f.Name, valueOf(f), fromFlag) })
	delete(values, "epochs") // iterations says it
	delete(from, "epochs")
	if network != nil {
		for _, d := range trainer.Differences(network, struct{}{}) {
			put(strings.ReplaceAll(d.Field, "_", "-"), listed(d.Now), fromDefault)
		}
		put("network", json.RawMessage(fmt.Sprintf("%q", network.Kind())), fromDefault)
	}
	byRecipe := []string{"iterations", "batch_size", "learning_rate", "warmup", "schedule", "ema_decay", "grad_clip", "stratified_times", "stable_targets"}
	for _, d := range trainer.Differences(c, struct{}{}) {
		name, origin := strings.ReplaceAll(d.Field, "_", "-"), fromDefault
		switch {
		case d.Field == "init_from":
			continue
		case slices.Contains(byRecipe, d.Field):
			origin = fromRecipe
		case d.Field == "precision" && f.Lookup("precision").Value.String() == "auto":
			origin = fromMachine
		}
		put(name, json.RawMessage(d.Now), origin)
	}
	return values, from
}

// valueOf is a flag's value as JSON.
func valueOf(f *pflag.Flag) json.RawMessage {
	switch f.Value.Type() {
	case "int", "int64", "float64", "bool":
		return json.RawMessage(f.Value.String())
	}
	raw, _ := json.Marshal(f.Value.String())
	return raw
}

// leaves are the flags of what a run leaves beside its weights. On which device it was
// computed, and by how many threads, its sessions say: it may be repeated elsewhere.
var leaves = []string{progressEvery, "checkpoint-every", "keep"}

// PutDefaults adds flags that Resolved knows nothing of and that were not given, and those
// of what a run leaves.
func (r *RunRecord) PutDefaults(f *pflag.FlagSet, flags ...string) {
	for _, name := range slices.Concat(flags, leaves) {
		if _, given := r.Values[name]; !given {
			r.Values[name], r.From[name] = valueOf(f.Lookup(name)), fromDefault
		}
	}
}

// Leave leaves out a flag that repeating the run must not give.
func (r *RunRecord) Leave(flag string) {
	delete(r.Values, flag)
	delete(r.From, flag)
}

// listed is a list of numbers as its flag takes it.
func listed(raw string) json.RawMessage {
	switch {
	case raw == "[]" || raw == "null":
		return json.RawMessage(`"none"`)
	case strings.HasPrefix(raw, "["):
		return json.RawMessage(`"` + strings.Trim(raw, "[]") + `"`)
	}
	return json.RawMessage(raw)
}

// inLine says what is wrong with a text, and in which line.
func inLine(text []byte, err error) string {
	var at *strictjson.Error
	var other *json.UnmarshalTypeError
	switch {
	case errors.As(err, &at):
		line, column := at.Line(text)
		return fmt.Sprintf("line %d, column %d: %v", line, column, at.Err)
	case errors.As(err, &other):
		line, _ := (&strictjson.Error{Byte: int(other.Offset)}).Line(text)
		if other.Field == "" {
			return fmt.Sprintf("line %d: %s is meant", line, meant(other.Type))
		}
		return fmt.Sprintf("line %d: %q: %s is meant", line, other.Field, meant(other.Type))
	}
	return err.Error()
}

// meant is a type of a record's field for people.
func meant(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	}
	return "an object, {...},"
}

// notRunFile is of a file that is no run.json, or a damaged one.
type notRunFile struct{ path, why string }

func (e *notRunFile) Error() string { return e.path + e.why }

func readRunFile(path string) (*RunRecord, error) {
	f, size, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > 16<<20 { // thousands of sessions have less
		return nil, &notRunFile{path, fmt.Sprintf(" has %d bytes: no run.json", size)}
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	r := &RunRecord{Format: 1}
	if err := strictjson.Valid(text); err != nil {
		return nil, &notRunFile{path, " is not JSON: " + inLine(text, err)}
	}
	if err := strictjson.UnmarshalKnown(text, r); err != nil {
		return nil, &notRunFile{path, ": " + inLine(text, err)}
	}
	if r.Format != 1 {
		return nil, &notRunFile{path, fmt.Sprintf(": format %d; this program reads 1", r.Format)}
	}
	if len(r.Values) == 0 {
		return nil, &notRunFile{path, ": it has no values, as in {\"values\": {\"dataset\": \"digits\"}}"}
	}
	return r, nil
}
