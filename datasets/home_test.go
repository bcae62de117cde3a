package datasets

import (
	"context"
	"testing"
)

// TestHome: a ~ behind a kind's colon is the user's own folder.
func TestHome(t *testing.T) {
	home := layFiles(t, map[string][]byte{"p/a/1.png": shade(1), "p/1.csv": []byte("1,2\n3,4\n")})
	t.Setenv("HOME", home)
	for name, want := range map[string]string{
		"folder:~/p":       "folder:" + home + "/p",
		"points:~/p/1.csv": "points:" + home + "/p/1.csv",
		"points:~":         "points:" + home,
		"points:~other/x":  "points:~other/x",
		"points:a/~/x":     "points:a/~/x",
	} {
		e, err := find(name)
		if err != nil || e.info.Name != want {
			t.Errorf("%s: %v, error %v", name, e, err)
		}
	}
	if _, err := Open("folder:~/p", Options{ImageSize: 4}); err != nil {
		t.Error(err)
	}
	if _, err := OpenSet(context.Background(), "points:~/p/1.csv", Options{}); err != nil {
		t.Error(err)
	}
}
