package datasets

import "testing"

// Classes are told apart by their names.
func TestClassNamesDiffer(t *testing.T) {
	for _, name := range Names() {
		in, err := Lookup(name)
		if err != nil {
			continue // the user's own files
		}
		seen := map[string]bool{}
		for _, class := range in.ClassNames {
			if seen[class] {
				t.Errorf("%s has the class %q twice", name, class)
			}
			seen[class] = true
		}
	}
}
