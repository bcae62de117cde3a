package training

import (
	"io"
	"testing"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

func TestOwnRecipe(t *testing.T) {
	for _, c := range []struct{ images, size, batch, steps, channels int }{
		{1, 64, 1, 2000, 32}, {2, 64, 2, 2000, 32}, {5, 32, 4, 2000, 32}, {31, 64, 16, 2000, 32}, {80, 64, 32, 2000, 32},
		{999, 64, 32, 2000, 32}, {2000, 64, 64, 2000, 32}, {60000, 28, 128, 4680, 64}, {60000, 8, 128, 4680, 32},
	} {
		batch := ownBatch(c.images)
		if steps, channels := ownSteps(c.images, batch), ownChannels(c.images, c.size); batch != c.batch || steps != c.steps || channels != c.channels {
			t.Errorf("%d pictures of %d: batch %d, %d steps, %d channels, want %+v", c.images, c.size, batch, steps, channels, c)
		}
	}
}

// A size says why it is no other one.
func TestSquare(t *testing.T) {
	for size, want := range map[int]string{
		8: "at 8x8, for they are small; --image-size takes another size", 64: "at 64x64, the most that is chosen; --image-size takes another size",
	} {
		s := Settings{from: map[string]string{"image-size": fromData}}
		if got := s.Square(models.UNetConfig{Channels: 3, Size: size}, nil, nil); got != "of each picture the square in the middle is taken, "+want {
			t.Errorf("%d: %s", size, got)
		}
	}
}

// What is given stays, by whatever; what a run has that goes on stays, too.
func TestChooseFor(t *testing.T) {
	im := &datasets.Images{Info: datasets.Info{Name: "folder:a", Shape: []int{3, 48, 48}, Levels: 256}, Pixels: make([]uint8, 80*3*48*48)}
	was := &trainer.State{Record: &trainer.Record{Kind: "unet", Model: []byte(`{"channels":3,"size":48,"num_channels":64,"channel_mult":[1,2],"num_res_blocks":1,"attention_resolutions":[],"num_heads":1,"dropout":0,"num_classes":0,"null_class":false}`)}}
	was.Record.Training.Configuration = trainer.Config{BatchSize: 7, Iterations: 300}
	for name, c := range map[string]struct {
		args []string
		was  *trainer.State
		init *Init
		want string
	}{
		"nothing given": {want: "80 pictures: batch 32, 48x48, channels 1,2,2,2 of 32, 2,000 steps (chosen)"},
		"some given":    {args: []string{"--batch-size", "4", "--channel-mult", "1,2"}, want: "80 pictures: batch 4, 48x48, channels 1,2 of 32, 2,000 steps (chosen, but for --batch-size --channel-mult)"},
		"passes":        {args: []string{"--epochs", "3"}, want: "80 pictures: batch 32, 48x48, channels 1,2,2,2 of 32, 6 steps (chosen, but for --epochs)"},
		"all given": {args: []string{"--batch-size", "4", "--channel-mult", "1,2", "--num-channels", "64", "--iterations", "9", "--image-size", "48"},
			want: "80 pictures: batch 4, 48x48, channels 1,2 of 64, 9 steps (as given)"},
		"goes on":      {was: was, want: "80 pictures: batch 7, 48x48, channels 1,2 of 64, 300 steps (as the run has it)"},
		"longer":       {was: was, args: []string{"--iterations", "500"}, want: "80 pictures: batch 7, 48x48, channels 1,2 of 64, 500 steps (as the run has it, but for --iterations)"},
		"other kind":   {args: []string{"--network", "dit"}, want: "80 pictures: batch 32, 48x48, 2,000 steps (chosen)"},
		"from weights": {init: &Init{}, want: "80 pictures: batch 32, 48x48, channels 1,2,2,2 of 64, 2,000 steps (chosen)"}, // whose network they are
	} {
		cmd := &cli.Command{Name: "train"}
		var s Settings
		s.Add(cmd.Group("Settings"), Train)
		h := AddHyper(cmd, Train)
		g := cmd.Group("Data")
		g.Int("image-size", 0, "")
		g.Int("image-channels", 0, "")
		net := cmd.AddNetwork(cmd.Group("Network"), "")
		if err := cmd.Execute(t.Context(), cli.Env{Args: c.args, Stdout: io.Discard, Stderr: io.Discard}); err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(cmd.Flags()); err != nil {
			t.Fatal(err)
		}
		if err := s.ChooseFor(cmd.Flags(), im, c.was, c.init); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		config, err := h.Config(im.Info, im.Len())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var network models.Config
		if network, err = net.Config(im.Info, false); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		square := "of each picture the square in the middle is taken, at 48x48"
		switch {
		case s.from["image-size"] != fromData, c.was != nil:
		case c.init != nil:
			square += ", as the weights have it"
		default:
			square += ", as many as nine in ten of them have; --image-size takes another size"
		}
		if got := s.Square(network, c.was, c.init); got != square {
			t.Errorf("%s: %s, want %s", name, got, square)
		}
		if got := s.Own(im.Len(), config, network, c.was); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}
