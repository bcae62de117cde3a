package training

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Stops are the flags of a run's folder and of its stops.
type Stops struct {
	Resume, Fresh         bool
	NewData               bool // see AddNewData
	ResumeFrom            string
	MaxSteps              int
	CheckpointEvery, Keep int
	// Settings say which flags the command line gave itself; nil: all that changed.
	Settings *Settings

	cmd       *cli.Command
	observing []*bool // which of the observers are asked for
}

// StopsTitle is that of the flags in help.
const StopsTitle = "Stopping and going on"

// AddStops adds the flags.
func AddStops(c *cli.Command) *Stops {
	r := &Stops{cmd: c}
	g := c.Group(StopsTitle)
	g.IntVar(&r.MaxSteps, "max-steps", 0, "stop after this step in all; the schedule stays that of the planned length")
	g.BoolVar(&r.Resume, "resume", false, "go on with the run in the folder, or start if there is none")
	g.BoolVar(&r.Fresh, "fresh", false, "move the run in the folder aside, and start")
	g.StringVar(&r.ResumeFrom, "resume-from", "", "go on from this state file")
	g.Files("resume-from", "pth")
	g.IntVar(&r.CheckpointEvery, "checkpoint-every", 0, "steps between saves; 0 is every 5 minutes")
	g.IntVar(&r.Keep, "keep", 2, "states to keep")
	r.addObservers(g)
	return r
}

// Check finds what is wrong without files.
func (r *Stops) Check() error {
	switch {
	case r.cmd.Changed("max-steps") && r.MaxSteps < 1:
		return cli.Usagef("--max-steps %d: at least 1", r.MaxSteps)
	case r.CheckpointEvery < 0:
		return cli.Usagef("--checkpoint-every %d: at least 1, or 0 for every 5 minutes", r.CheckpointEvery)
	case r.Keep < 2:
		return cli.Usagef("--keep %d: at least 2", r.Keep)
	case r.Resume && r.Fresh, r.ResumeFrom != "" && (r.Resume || r.Fresh):
		return cli.Usagef("--resume, --resume-from and --fresh exclude each other")
	case r.NewData && !r.Resume && r.ResumeFrom == "":
		return cli.Usagef("--new-data goes with --resume: it lets a run go on although its set has changed")
	}
	return alone()
}

// alone refuses to be one of several processes that a launcher starts: each would train by
// itself, in the same folder.
func alone() error {
	for _, v := range []struct { // as torchrun and others set them
		name, what string
		alone      int // of the only process
	}{{"WORLD_SIZE", "number of processes", 1}, {"RANK", "number of a process", 0}, {"LOCAL_RANK", "number of a process", 0}} {
		text := os.Getenv(v.name)
		if text == "" {
			continue
		}
		switch n, err := strconv.Atoi(text); {
		case err != nil || n < v.alone:
			return cli.Usagef("%s is %q, which is no %s: unset %s", v.name, text, v.what, v.name)
		case n > v.alone:
			return cli.Usagef("%s is %d, and a run of several processes is not there yet: start one without a launcher, or unset %s", v.name, n, v.name)
		}
	}
	return nil
}

// Guard refuses a folder that holds a run, unless a flag says what becomes of
// it.
func (r *Stops) Guard(dir string) error {
	if r.ResumeFrom != "" && trainer.HoldsRun(dir) && !sameFolder(filepath.Dir(r.ResumeFrom), dir) {
		return cli.Usagef("%s holds a run, and --resume-from %s is of another: give another --output-dir, or move that run aside", dir, r.ResumeFrom)
	}
	if trainer.HoldsRun(dir) && !r.Resume && !r.Fresh && r.ResumeFrom == "" {
		return cli.Usagef("%s holds a run already: --resume goes on with it, --fresh moves it aside and starts anew", dir)
	}
	return nil
}

// GoesOn tells whether a run in the folder, or the state that is named, is to be gone on with.
func (r *Stops) GoesOn(dir string) bool {
	return r.ResumeFrom != "" || r.Resume && trainer.HoldsRun(dir)
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// Start is where a run starts.
type Start struct {
	Dir    string
	Device torch.Device
	From   *trainer.State // nil: anew
	Notes  []string       // for the user
	Passed []string       // notes that --quiet does not leave out: what is gone on with is older than asked for

	folder  *trainer.Folder      // nil: only looked at
	damaged []trainer.PassedOver // states that are to get other names
	again   []string             // a command line that goes on with the run as it was; nil where none is known
	before  []trainer.DataBefore // what the run was trained on earlier
	history history              // what run.json tells
	longer  bool                 // it goes on past its planned end
	done    bool                 // nothing is left to do
	// elsewhere tells that the state is of another folder.
	elsewhere bool
}

// Held is an error where the folder is another run's by now: nothing may be written there.
func (s *Start) Held() error {
	if s.folder == nil {
		return nil
	}
	return s.folder.Held()
}

// Close lets other processes into the folder.
func (s *Start) Close() {
	if s != nil && s.folder != nil {
		s.folder.Close()
	}
}

// State is what the run goes on from; nil for a run that starts, which a nil Start is.
func (s *Start) State() *trainer.State {
	if s == nil {
		return nil
	}
	return s.From
}

// Open keeps other processes out of the folder, and finds the state to go on
// from or moves an old run aside.
func (r *Stops) Open(dir string, d torch.Device) (*Start, error) {
	s := &Start{Dir: dir, Device: d}
	if r.Fresh && trainer.HoldsRun(dir) {
		to, err := trainer.MoveAside(dir)
		if err != nil {
			return nil, err
		}
		s.Notes = append(s.Notes, "the old run is now in "+to)
	}
	var err error
	if s.folder, err = trainer.OpenFolder(dir, r.Keep); err != nil {
		return nil, err
	}
	s.Notes = append(s.Notes, s.folder.Notes...)
	if err := r.find(s); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Checked are checks of what would be started, before --fresh moves the old run aside.
func (r *Stops) Checked(dir string, d torch.Device, check func(*Start) error) error {
	if !r.Fresh {
		return nil // they come once it is known where the run starts
	}
	return check(&Start{Dir: dir, Device: d})
}

// Look is Open for a command that only tells what would be: it touches nothing, and keeps
// nobody out.
func (r *Stops) Look(dir string, d torch.Device) (*Start, error) {
	s := &Start{Dir: dir, Device: d}
	return s, r.find(s)
}

func (r *Stops) find(s *Start) (err error) {
	dir := s.Dir
	s.again = r.again(dir)
	if r.Resume || r.ResumeFrom != "" { // before anything is touched
		if err := s.readHistory(); err != nil {
			return err
		}
		if why := s.history.damaged; why != nil && s.folder == nil {
			s.Passed = append(s.Passed, fmt.Sprintf("passed over: %v", why))
		}
	}
	switch {
	case r.ResumeFrom != "":
		s.From, err = trainer.ReadState(r.ResumeFrom)
		s.elsewhere = !sameFolder(filepath.Dir(r.ResumeFrom), dir)
	case r.Resume && !trainer.HoldsRun(dir):
		s.Notes = append(s.Notes, dir+" holds no run: a new one starts")
	case r.Resume:
		var name string
		var passed []trainer.PassedOver
		if s.From, name, passed, err = trainer.Newest(dir); err != nil {
			return err
		}
		s.passOver(passed)
		s.Notes = append(s.Notes, fmt.Sprintf("going on after step %d, from %s", s.From.Step(), name))
	}
	return err
}

// passOver notes damaged states. They stay where they are until all is checked.
func (s *Start) passOver(passed []trainer.PassedOver) {
	if s.folder != nil {
		s.damaged = passed
		return
	}
	for _, p := range passed {
		s.Passed = append(s.Passed, fmt.Sprintf("passed over: %v", p.Why))
	}
}

// keepDamaged keeps damaged states out of the way, before anything is written.
func (s *Start) keepDamaged() error {
	if s.damaged == nil {
		return nil
	}
	kept, err := s.folder.KeepDamaged(s.damaged)
	if err != nil {
		return err
	}
	for i, p := range s.damaged {
		s.Passed = append(s.Passed, fmt.Sprintf("passed over: %v; kept as %s", p.Why, kept[i]))
	}
	s.damaged = nil
	return nil
}

// again is the command line that goes on with the run in a folder, or with the state that
// is named, as it was; nil where no record tells it.
func (r *Stops) again(dir string) []string {
	how := []string{"--resume"}
	if r.ResumeFrom != "" {
		dir, how = filepath.Dir(r.ResumeFrom), []string{"--resume-from", r.ResumeFrom}
	}
	path := filepath.Join(dir, RunFile)
	if _, err := readRunFile(path); err != nil {
		return nil
	}
	if r.cmd.Changed("output-dir") { // which is no part of a run
		how = append(how, "--output-dir", r.cmd.OutputDir)
	}
	return append([]string{"bin/" + r.cmd.Name, "--config", path}, how...)
}

// Reflow says what pairs the run that goes on is trained on, nil for none.
func (s *Start) Reflow() *trainer.ReflowConfig {
	if s.From == nil {
		return nil
	}
	return s.From.Record.Training.Configuration.Reflow
}

// Step is the number of steps done before.
func (s *Start) Step() int {
	if s.From == nil {
		return 0
	}
	return s.From.Step()
}

// Longer tells whether the run goes on past its planned end.
func (s *Start) Longer() bool { return s.longer }

// Same refuses to go on with a run on another set or with another configuration, and
// names the differences.
func (s *Start) Same(c trainer.Config, network models.Config, in datasets.Info) error {
	if s.From == nil {
		return nil
	}
	if err := s.SameSet(in); err != nil {
		return err
	}
	r := s.From.Record
	if was := r.Dataset.Frame; !in.Frame.Equal(was) { // of a run before 0.1
		return cli.Usagef("the run takes the points of %s %s, and now they would be %s; start anew with --fresh", in.Name, was, in.Frame)
	}
	was := r.Training.Configuration
	if s.longer {
		was.Iterations, was.Earlier = c.Iterations, c.Earlier
	}
	var diff []string
	for _, d := range append(trainer.Differences(c, was), trainer.Differences(network, r.Model)...) {
		diff = append(diff, differs(d))
	}
	if len(diff) > 0 {
		how := "give its flags"
		if s.again != nil {
			how = cli.Shell(cli.Typed(s.again)) + " goes on with it as it was"
		}
		return cli.Usagef("the run has another configuration: %s; %s, --fresh starts anew", join(diff), how)
	}
	return nil
}

// differs says what a flag is and was. Of the weights that a run began with it is known
// which they were, not where.
func differs(d trainer.Difference) string {
	switch {
	case d.Field != "init_from":
		return fmt.Sprintf("%s %s, was %s", cli.Flag(d.Field), orNotSet(d.Now), orNotSet(d.Was))
	case d.Was == "":
		return "it began with fresh weights, not with those of --init-from"
	case d.Now == "":
		return "it began with the weights of --init-from, which is not given"
	}
	return "it began with other weights than those of --init-from"
}

func orNotSet(s string) string {
	if s == "" {
		return "not set"
	}
	return s
}

func join(parts []string) string {
	if len(parts) > 3 {
		parts = append(parts[:3:3], fmt.Sprintf("and %d more", len(parts)-3))
	}
	s := parts[0]
	for _, p := range parts[1:] {
		s += ", " + p
	}
	return s
}
