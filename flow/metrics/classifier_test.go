package metrics

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"

	"flowmatch/datasets"
)

// labelled are the images of a set as a classifier's training data.
type labelled struct{ *datasets.Images }

func (l labelled) Label(i int) int64 { return int64(l.Labels[i]) }

// accuracy on images that the classifier has not seen.
func accuracy(t *testing.T, m *Classifier, im *datasets.Images) float64 {
	t.Helper()
	d := im.Dim()
	x, want := make([]float32, im.Len()*d), make([]int64, im.Len())
	for i := range im.Len() {
		im.Floats(x[i*d:(i+1)*d], i)
		want[i] = int64(im.Labels[i])
	}
	j, err := m.Judge(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	if len(j.Features) != im.Len()*FeatureDim {
		t.Fatalf("%d features of %d images", len(j.Features), im.Len())
	}
	return Accuracy(j.Labels, want)
}

func train(t *testing.T, fit *datasets.Images) *Classifier {
	t.Helper()
	c := ClassifierConfig{fit.Shape[0], fit.Shape[1], fit.Classes()}
	start := time.Now()
	m, err := ClassifierTraining{Config: c, Set: labelled{fit}}.Train(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("trained on %d images in %v", fit.Len(), time.Since(start))
	return m
}

// At least 97 % of the held-out digits.
func TestClassifierOfDigits(t *testing.T) {
	fit, test, err := datasets.DigitsHoldout()
	if err != nil {
		t.Fatal(err)
	}
	m := train(t, fit)
	a := accuracy(t, m, test)
	t.Logf("accuracy %.4f on %d", a, test.Len())
	if a < 0.97 {
		t.Errorf("accuracy %.4f", a)
	}
}

// At least 99 % of MNIST's test images.
func TestClassifierOfMNIST(t *testing.T) {
	data := os.Getenv("FLOWMATCH_TEST_DATA")
	if data == "" {
		t.Skip("FLOWMATCH_TEST_DATA does not name a folder with mnist/")
	}
	if os.Getenv("FLOWMATCH_DEMO") == "" {
		t.Skip("minutes long: FLOWMATCH_DEMO is not set")
	}
	fit, err := datasets.MNIST(data, datasets.Train)
	if err != nil {
		t.Fatal(err)
	}
	test, err := datasets.MNIST(data, datasets.Test)
	if err != nil {
		t.Fatal(err)
	}
	a := accuracy(t, train(t, fit), test)
	t.Logf("accuracy %.4f on %d", a, test.Len())
	if a < 0.99 {
		t.Errorf("accuracy %.4f", a)
	}
}

// Every size that models take ends at 8x8 or less before the hidden layer.
func TestClassifierOfAnySize(t *testing.T) {
	for _, c := range []ClassifierConfig{{1, 8, 10}, {1, 28, 10}, {3, 32, 2}, {3, 64, 3}, {1, 100, 2}, {3, 128, 5}} {
		m, err := NewClassifier(c)
		if err != nil {
			t.Fatal(err)
		}
		j, err := m.Judge(t.Context(), make([]float32, 2*c.Channels*c.Size*c.Size))
		if err != nil || len(j.Labels) != 2 || len(j.Features) != 2*FeatureDim {
			t.Errorf("%v: %v", c, err)
		}
		channels := m.Convs[len(m.Convs)-1].OutChannels
		if pixels := m.Hidden.InFeatures / channels; pixels > 64 || pixels < 16 {
			t.Errorf("%v: %d pixels before the hidden layer", c, pixels)
		}
	}
	for _, c := range []ClassifierConfig{{0, 8, 10}, {1, 2, 10}, {1, 8, 1}} {
		if _, err := NewClassifier(c); err == nil {
			t.Errorf("%v: accepted", c)
		}
	}
}

// blobs are 8x8 images of noise, class 1 brighter than class 0.
type blobs struct{ n int }

func (b blobs) Len() int          { return b.n }
func (b blobs) Label(i int) int64 { return int64(i % 2) }
func (b blobs) Floats(dst []float32, i int) {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	for k := range dst {
		dst[k] = r.Float32()*0.5 + float32(i%2)*0.5 - 0.5
	}
}

// On one machine the same images and seed give the same weights.
func TestClassifierTrainingRepeats(t *testing.T) {
	tr := ClassifierTraining{Config: ClassifierConfig{1, 8, 2}, Set: blobs{100}, Seed: 5}
	train := func() []nn.Named {
		m, err := tr.Train(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return nn.Tensors(m)
	}
	a, b := train(), train()
	tr.Seed = 6
	other := train()
	for i, n := range a {
		if !torch.Equal(n.Tensor, b[i].Tensor) {
			t.Errorf("%s differs between two trainings", n.Name)
		}
	}
	if torch.Equal(a[0].Tensor, other[0].Tensor) {
		t.Error("another seed gave the same weights")
	}
}

func TestClassifierTrainingStops(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	enough := errors.New("enough")
	tr := ClassifierTraining{Config: ClassifierConfig{1, 8, 2}, Set: blobs{100}, Progress: func(done, _ int) {
		if done == 3 {
			cancel(enough)
		}
	}}
	if _, err := tr.Train(ctx); err != enough {
		t.Errorf("%v", err)
	}
	tr.Set = blobs{}
	if _, err := tr.Train(t.Context()); err == nil {
		t.Error("no images were accepted")
	}
}

// What is judged is the picture: values beyond [-1,1] are clamped.
func TestJudgeClamps(t *testing.T) {
	m, err := ClassifierTraining{Config: ClassifierConfig{1, 8, 2}, Set: blobs{64}}.Train(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at, beyond := slices.Repeat([]float32{1, -1}, 32), slices.Repeat([]float32{3, -9}, 32)
	a, _ := m.Judge(t.Context(), at)
	b, _ := m.Judge(t.Context(), beyond)
	if !slices.Equal(a.Features, b.Features) {
		t.Error("values beyond [-1,1] are seen as such")
	}
}
