package training

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Choose gives a flag that nothing has set the value that the data decides.
func (s *Settings) Choose(f *pflag.FlagSet, name string, value any) error {
	if s.from[name] != "" || s.from[instead[name]] != "" {
		return nil
	}
	s.from[name] = fromData
	return f.Set(name, fmt.Sprint(value))
}

// ChooseSize settles, before a folder's pictures are read, their size and channels where a
// run goes on (was) or begins with the weights of another one: as they were. Else reading
// them decides. Both may be nil.
func (s *Settings) ChooseSize(f *pflag.FlagSet, was *trainer.State, init *Init) error {
	switch {
	case was != nil && len(was.Record.Dataset.Shape) == 3:
		if err := s.Choose(f, "image-channels", was.Record.Dataset.Shape[0]); err != nil {
			return err
		}
		return s.Choose(f, "image-size", was.Record.Dataset.Shape[1])
	case init != nil && init.Record != nil && len(init.Record.Dataset.Shape) == 3:
		if init.Record.Dataset.Shape[0] == 3 { // grey ones lose nothing by three channels
			if err := s.Choose(f, "image-channels", 3); err != nil {
				return err
			}
		}
		return s.Choose(f, "image-size", init.Record.Dataset.Shape[1])
	}
	return nil
}

// ChooseFor settles what a training on a folder's pictures is, once they are read, where
// neither a flag nor a preset nor a configuration says it: by their number and size, or as
// a run that goes on has it. Of a network that something else decides, such as weights to
// begin with, nothing is chosen.
func (s *Settings) ChooseFor(f *pflag.FlagSet, set datasets.Set, was *trainer.State, init *Init) error {
	samples, shape := set.Len(), set.Describe().Shape
	batch, channels := ownBatch(samples), ownChannels(samples, shape[1])
	mult := models.DefaultChannelMult(shape[1])
	unet := init == nil && f.Lookup("network").Value.String() == models.UNetConfig{}.Kind()
	if was != nil {
		batch = was.Record.Training.Configuration.BatchSize
		net, err := was.Record.Network()
		theirs, same := net.(models.UNetConfig)
		channels, mult, unet = theirs.NumChannels, theirs.ChannelMult, err == nil && same && unet
	}
	values := []setting{{"image-channels", shape[0]}, {"image-size", shape[1]}, {"batch-size", batch}}
	if unet {
		values = append(values, setting{"num-channels", channels})
		if mult != nil {
			values = append(values, setting{"channel-mult", multipliers(mult)})
		}
	}
	for _, v := range values {
		if err := s.Choose(f, v.flag, v.value); err != nil {
			return err
		}
	}
	batch, _ = strconv.Atoi(f.Lookup("batch-size").Value.String()) // one may have been given
	steps := ownSteps(samples, batch)
	if was != nil {
		steps = was.Record.Training.Configuration.Iterations
	}
	return s.Choose(f, "iterations", steps)
}

type setting struct {
	flag  string
	value any
}

// Own says in a line what a training on pictures of a user's own is: "80 pictures: batch
// 32, 64x64, channels 1,2,3,4 of 32, 2,000 steps (chosen)". was is as ChooseFor has it.
func (s *Settings) Own(images int, c trainer.Config, network models.Config, was *trainer.State) string {
	shape := network.SampleShape()
	parts := []string{fmt.Sprintf("batch %d", c.BatchSize), fmt.Sprintf("%dx%d", shape[1], shape[2])}
	if u, ok := network.(models.UNetConfig); ok {
		parts = append(parts, fmt.Sprintf("channels %s of %d", multipliers(u.ChannelMult), u.NumChannels))
	}
	parts = append(parts, terminal.Counted(c.Iterations, "step"))
	return fmt.Sprintf("%s: %s (%s)", terminal.Counted(images, "picture"), strings.Join(parts, ", "), s.whose(was != nil))
}

// Square says in a line what becomes of a picture of a user's own, and where the size was
// chosen by the pictures, why it is no other one: not by a run that goes on (was), nor by
// weights to begin with.
func (s *Settings) Square(network models.Config, was *trainer.State, init *Init) string {
	size := network.SampleShape()[1]
	line := fmt.Sprintf("of each picture the square in the middle is taken, at %dx%d", size, size)
	switch {
	case s.from["image-size"] != fromData, was != nil:
		return line
	case init != nil:
		return line + ", as the weights have it"
	case size >= datasets.MostChosen:
		line += ", the most that is chosen"
	case size > datasets.LeastChosen:
		line += ", as many as nine in ten of them have"
	default:
		line += ", for they are small"
	}
	return line + "; --image-size takes another size"
}

// whose says who has settled what Own tells of.
func (s *Settings) whose(goesOn bool) string {
	var given []string
	some := false
	for _, name := range []string{"batch-size", "image-size", "channel-mult", "num-channels", "iterations", "epochs"} {
		switch s.from[name] {
		case "":
		case fromData:
			some = true
		default:
			given = append(given, "--"+name)
		}
	}
	how := "chosen"
	if goesOn {
		how = "as the run has it"
	}
	switch {
	case given == nil:
		return how
	case !some:
		return "as given"
	}
	return how + ", but for " + strings.Join(given, " ")
}

func multipliers(m []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(m), " ", ","), "[]")
}

// ownBatch is the largest power of two that the pictures fill, and few for few: steps of a
// small batch are quick, and noisy ones find what little there is to be learnt.
func ownBatch(images int) int {
	most := 128
	switch {
	case images < 1000:
		most = 32
	case images < 10000:
		most = 64
	}
	batch := 1
	for 2*batch <= min(images, most) {
		batch *= 2
	}
	return batch
}

// ownSteps are ten passes over the pictures, and as many steps as a network takes to draw
// anything.
func ownSteps(images, batch int) int {
	const passes, least = 10, 2000
	if batch > images { // which is refused
		return least
	}
	return max(least, passes*datasets.StepsPerEpoch(images, batch))
}

// ownChannels are those of the UNet's first level: a network for few pictures has a quarter
// of the work to do, and learns them as well.
func ownChannels(images, size int) int {
	if images < 10000 || size <= 8 {
		return 32
	}
	return 64
}
