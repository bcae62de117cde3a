package cli

import (
	"errors"
	"testing"

	"flowmatch/models"
)

// What libraries say of fields is said of flags, and nothing else is changed.
func TestAsUsage(t *testing.T) {
	for want, err := range map[string]error{
		"--num-heads 3 does not divide --num-channels 64": models.Wrong("num_heads", "%d does not divide num_channels %d", 3, 64),
		"--warmup -1: 0 or more steps":                    models.Wrong("warmup", "-1: 0 or more steps"),
		"the number of classes -1 cannot be":              models.Wrong("num_classes", "-1 cannot be"),
		"the set fashion_mnist is not there":              errors.New("the set fashion_mnist is not there"),
	} {
		got := AsUsage(err)
		var u *UsageError
		if !errors.As(got, &u) || got.Error() != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if AsUsage(nil) != nil {
		t.Error("nil")
	}
}
