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
	const variable = "WORLD_SIZE" // as torchrun and others set it
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil && n > 1 {
		return cli.Usagef("%s is %d, and a run of several processes is not there yet: start one without a launcher, or unset %s", variable, n, variable)
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

	folder  *trainer.Folder
	before  []trainer.DataBefore // what the run was trained on earlier
	earlier []RunSession         // that run.json tells of
	longer  bool                 // it goes on past its planned end
}

// Close lets other processes into the folder.
func (s *Start) Close() {
	if s != nil {
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

func (r *Stops) find(s *Start) (err error) {
	dir := s.Dir
	switch {
	case r.ResumeFrom != "":
		s.From, err = trainer.ReadState(r.ResumeFrom)
	case r.Resume && !trainer.HoldsRun(dir):
		s.Notes = append(s.Notes, dir+" holds no run: a new one starts")
	case r.Resume:
		var name string
		var passed []trainer.PassedOver
		if s.From, name, passed, err = trainer.Newest(dir); err != nil {
			return err
		}
		kept, err := s.folder.KeepDamaged(passed)
		if err != nil {
			return err
		}
		for i, p := range passed {
			s.Passed = append(s.Passed, fmt.Sprintf("passed over: %v; kept as %s", p.Why, kept[i]))
		}
		s.Notes = append(s.Notes, fmt.Sprintf("going on after step %d, from %s", s.From.Step(), name))
	}
	return err
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
		diff = append(diff, fmt.Sprintf("%s %s, was %s", cli.Flag(d.Field), orNotSet(d.Now), orNotSet(d.Was)))
	}
	if len(diff) > 0 {
		return cli.Usagef("the run has another configuration: %s; give its flags, or start anew with --fresh", join(diff))
	}
	return nil
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
